import { MillraceError } from '../../../errors.ts'
import type { Broker, Transport } from '../transport.ts'
import { errorCodes } from '../wire/error-codes.ts'
import type { Request } from '../wire/request.ts'
import { WireReader } from '../wire/wire-reader.ts'

/**
 * A JoinGroup that waits keeps the broker from reading on in its connection, so that membership and offsets have one each
 * (measured: an OffsetFetch behind it took as long as the join, on another connection 1 ms).
 */
export type Lane = 'offsets' | 'membership'

/** What membership needs of a Transport. */
export type GroupTransport = Pick<Transport, 'connect' | 'close' | 'coordinator' | 'versions' | 'send'>

const lanes: Record<Lane, number> = { offsets: 0, membership: 1 }

/** The broker may take that much longer to answer than it says it waits. */
const WAIT_MARGIN_MS = 10_000

export interface CallOptions {
  readonly lane: Lane
  readonly timeoutMs?: number
}

/** The broker that coordinates one group, looked up when it is needed and again after it moved or could not be reached. */
export interface GroupCoordinator {
  call<Answer>(request: Request<Answer>, options: CallOptions): Promise<Answer>
  /** The versions of a request that the coordinator speaks; undefined when it does not know it. */
  versions(apiKey: number): Promise<{ readonly min: number; readonly max: number } | undefined>
  /** The coordinator answered with this code: if it says that the group is elsewhere, the next call looks it up. */
  heed(error: number): void
}

export function groupCoordinator(transport: GroupTransport, group: string): GroupCoordinator {
  let current: Promise<Broker> | undefined

  async function find(): Promise<Broker> {
    await transport.connect()
    return transport.coordinator(group, 'group')
  }

  async function withBroker<T>(use: (broker: Broker) => Promise<T>): Promise<T> {
    const mine = (current ??= find())
    try {
      return await use(await mine)
    } catch (error) {
      if (current === mine) current = undefined
      throw error
    }
  }

  return {
    call: (request, { lane, timeoutMs }) =>
      withBroker(async (broker) => {
        const { apiKey, apiName, apiVersion, body, waitMs } = request
        const patience = timeoutMs ?? (waitMs === undefined ? undefined : waitMs + WAIT_MARGIN_MS)
        const sent = { apiKey, apiName, apiVersion, body, ...(patience !== undefined && { timeoutMs: patience }) }
        const answer = await transport.send(broker, sent, { lane: lanes[lane] })
        try {
          return request.decode(new WireReader(answer))
        } catch (cause) {
          const what = `the answer of ${broker.host}:${broker.port} to ${request.apiName} v${request.apiVersion}`
          throw new MillraceError('INTERNAL', `${what} cannot be read`, { cause })
        }
      }),
    versions: (apiKey) => withBroker(async (broker) => (await transport.versions(broker)).get(apiKey)),
    heed(error) {
      if (error === errorCodes.NOT_COORDINATOR || error === errorCodes.COORDINATOR_NOT_AVAILABLE) current = undefined
    },
  }
}
