import { MillraceError } from '../../../../src/errors.ts'
import type { GroupTransport } from '../../../../src/log/kafka/membership/group-coordinator.ts'
import { WireReader } from '../../../../src/log/kafka/wire/wire-reader.ts'
import type { ManualClock } from '../../../../src/time.ts'
import { type Commit, fakeOffsets } from './fake-offsets.ts'

/** What happens to a request instead of an answer: an error code, a broken connection before or after it is carried out, or nothing, for ever. */
export type Fault = number | 'drop' | 'lose the answer' | 'hang'

export type Handler = (reader: WireReader, version: number) => Buffer | Promise<Buffer>
/** An answer that says only this, at the place where the request has its error code. */
export type Refusal = (reader: WireReader, version: number, error: number, message: string) => Buffer

export interface FakeMember {
  readonly id: string
  readonly instanceId: string | null
  /** When it was last heard of. */
  aliveAt: number
}

/** One group as its coordinator has it: what is particular to a protocol. */
export interface FakeGroup {
  readonly members: ReadonlyMap<string, FakeMember>
  readonly handlers: Readonly<Record<string, Handler>>
  readonly refusals: Readonly<Record<string, Refusal>>
  /** By the key of the request. */
  readonly speaks: ReadonlyMap<number, { readonly min: number; readonly max: number }>
  /** The error code that a commit gets. */
  admitCommit(commit: Commit): number
  /** Ends the sessions and rebalances whose time is over. */
  tick(): void
  /** Decides anew who runs what, although nobody comes or goes. */
  rebalance(): void
  /** Forgets a member, which is not told. */
  remove(memberId: string): void
}

/** What connects one member to the broker. */
export interface Line {
  isCut: boolean
}

/**
 * One broker that coordinates one group, on the clock of the test, written against the protocol's bytes. Only what members see
 * is modelled.
 */
export function fakeBroker<Group extends FakeGroup>(clock: ManualClock, group: Group) {
  const { offsets, undecided, commits, ...ofOffsets } = fakeOffsets(group.admitCommit)
  const handlers: Record<string, Handler> = { ...group.handlers, ...ofOffsets.handlers }
  const refusals: Record<string, Refusal> = { ...group.refusals, ...ofOffsets.refusals }
  const faults: { apiName: string; fault: Fault; message: string; times: number }[] = []
  const requests: string[] = []
  const open = new Set<(error: Error) => void>()
  const wire = {
    isUp: true,
    lookups: 0,
    /** Members that have not closed their connections. */
    connected: 0,
    /** Called while a request is on its way. */
    onRequest: undefined as (() => void) | undefined,
  }
  const unavailable = () => new MillraceError('UNAVAILABLE', 'connection lost', { retriable: true })

  function connect(line: Line): GroupTransport {
    const mine = new Set<(error: Error) => void>()
    let isClosed = false
    wire.connected++
    const reach = () => {
      if (isClosed) throw new MillraceError('CLOSED', 'closed')
      if (!wire.isUp || line.isCut) throw unavailable()
    }
    return {
      async connect() {
        reach()
      },
      async close() {
        isClosed = true
        wire.connected--
        for (const reject of mine) reject(new MillraceError('CLOSED', 'closed'))
      },
      async coordinator() {
        reach()
        wire.lookups++
        return { nodeId: 1, host: 'fake', port: 9092 }
      },
      async versions() {
        reach()
        return group.speaks
      },
      async send(_broker, { apiName, apiVersion, body, timeoutMs }) {
        reach()
        requests.push(apiName)
        wire.onRequest?.()
        const script = faults.find((entry) => entry.apiName === apiName && entry.times-- > 0)
        if (script?.fault === 'drop') throw unavailable()
        const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
        mine.add(reject)
        open.add(reject)
        if (timeoutMs !== undefined) void clock.sleep(timeoutMs).then(() => reject(unavailable()))
        if (script?.fault === 'hang') return promise
        const reader = new WireReader(body)
        reader.tags()
        if (typeof script?.fault === 'number') {
          resolve(refusals[apiName](reader, apiVersion, script.fault, script.message))
          return promise
        }
        const answer = handlers[apiName](reader, apiVersion)
        if (script === undefined) resolve(answer)
        else reject(unavailable())
        return promise
      },
    }
  }

  /** Lets time pass until the condition holds. */
  async function until(what: string, condition: () => boolean, limitMs = 120_000): Promise<void> {
    for (const start = clock.now(); ; clock.advance(10)) {
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      group.tick()
      if (condition()) return
      if (clock.now() - start >= limitMs)
        throw new Error(`not within ${limitMs} ms: ${what}; the last requests: ${requests.slice(-5).join(', ')}`)
    }
  }

  async function pass(ms: number): Promise<void> {
    const end = clock.now() + ms
    await until(`${ms} ms pass`, () => clock.now() >= end, ms)
  }

  return {
    ...group,
    wire,
    offsets,
    undecided,
    commits,
    requests,
    connect,
    until,
    pass,
    fail(apiName: string, fault: Fault, { times = 1, message = 'because' } = {}) {
      faults.push({ apiName, fault, message, times })
    },
    /** Breaks every connection; requests under way fail. */
    goDown() {
      wire.isUp = false
      for (const reject of open) reject(unavailable())
      open.clear()
    },
    comeUp() {
      wire.isUp = true
    },
  }
}

export type FakeBroker = ReturnType<typeof fakeBroker<FakeGroup>>
