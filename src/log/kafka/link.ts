import { MillraceError } from '../../errors.ts'
import { connectionError } from './connection-errors.ts'
import { frameSocket } from './frame-socket.ts'
import { discard, type KafkajsConnection, kafkajsConnection, sendOver } from './kafkajs-internals.ts'
import type { KafkaOptions } from './options.ts'
import { type ApiVersions, apiVersionsRequest } from './wire/cluster.ts'
import { WireReader } from './wire/wire-reader.ts'

/** The part of a request that travels. */
export interface RawRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly body: Buffer
  readonly tail?: readonly Buffer[]
  /** How long to wait for the answer; at least the option `requestTimeoutMs`. */
  readonly timeoutMs?: number
}

/**
 * One connection to one broker, which opens itself when something is to be sent, authenticates, and after any failure
 * is thrown away and opened anew by the next request. Requests go out in the order of the calls.
 */
export interface Link {
  send(request: RawRequest): Promise<Buffer>
  versions(): Promise<ApiVersions>
  /** True while there is a connection that works as far as is known. */
  isOpen(): boolean
  close(): void
}

interface Open {
  readonly connection: KafkajsConnection
  readonly versions: ApiVersions
}

const SASL_AUTHENTICATE = 36
const TXN_OFFSET_COMMIT = 28

/** @param onBreak called when a connection that was open is gone, for whatever reason */
export function link(host: string, port: number, options: KafkaOptions, onBreak: () => void): Link {
  const broker = `${host}:${port}`
  const requestTimeout = options.requestTimeoutMs ?? 30_000
  const connectionTimeout = options.connectionTimeoutMs ?? 10_000
  let opening: Promise<Open> | undefined
  let current: KafkajsConnection | undefined
  let isReady = false
  let proven = false

  function connection(): KafkajsConnection {
    const { ssl, sasl } = options
    return kafkajsConnection({
      host,
      port,
      clientId: options.clientId ?? 'millrace',
      ssl: ssl ? (ssl === true ? {} : ssl) : null,
      sasl: sasl ?? null,
      connectionTimeout,
      requestTimeout,
      socketFactory: frameSocket,
      log: (level, message, address) => options.log?.({ level, message, broker: address ?? broker }),
    })
  }

  function drop(failed: KafkajsConnection | undefined, error: Error): void {
    if (failed === undefined || failed !== current) return
    current = opening = undefined
    isReady = false
    discard(failed, error)
  }

  async function open(): Promise<Open> {
    const mine = connection()
    current = mine
    const timer = setTimeout(() => drop(mine, timeout(broker, connectionTimeout)), connectionTimeout)
    try {
      await mine.connect()
      const request = apiVersionsRequest()
      const answer = request.decode(new WireReader(await sendOver(mine, request, connectionTimeout)))
      requireModernBroker(broker, answer.versions)
      mine.setVersions(
        Object.fromEntries([...answer.versions].map(([k, v]) => [k, { minVersion: v.min, maxVersion: v.max }])),
      )
      mine.setSupportAuthenticationProtocol(answer.versions.has(SASL_AUTHENTICATE))
      await mine.authenticate()
      if (current !== mine) throw closed(broker)
      isReady = true
      mine.socket?.once('close', onBreak)
      return { connection: mine, versions: answer.versions }
    } catch (thrown) {
      const error = connectionError(thrown, { broker, during: 'connecting', proven: false }, options)
      drop(mine, error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** A connection that the broker has closed meanwhile (restarted, idle for too long) is not worth a failed request. */
  async function ready(): Promise<Open> {
    const found = await (opening ??= open())
    if (found.connection.isConnected()) return found
    drop(found.connection, closed(broker))
    return (opening ??= open())
  }

  return {
    async send(request) {
      const { connection: mine } = await ready()
      try {
        const answer = await sendOver(mine, request, request.timeoutMs ?? requestTimeout)
        proven = true
        return answer
      } catch (thrown) {
        const error = connectionError(thrown, { broker, during: request.apiName, proven }, options)
        // After a timeout, too: answers that come later would be taken for those of a slow but living connection.
        drop(mine, error)
        throw error
      }
    },
    versions: async () => (await ready()).versions,
    isOpen: () => isReady,
    close: () => drop(current, closed(broker)),
  }
}

const closed = (broker: string) => new MillraceError('CLOSED', `the connection to Kafka at ${broker} was closed`)

const timeout = (broker: string, ms: number) =>
  new MillraceError('UNAVAILABLE', `Kafka at ${broker} did not accept a connection within ${ms} ms`, {
    retriable: true,
  })

function requireModernBroker(broker: string, versions: ApiVersions): void {
  if ((versions.get(TXN_OFFSET_COMMIT)?.max ?? 0) >= 3) return
  throw new MillraceError('UNAVAILABLE', `Kafka at ${broker} is too old for this client`, {
    hint: 'Kafka 2.5 or newer is needed (TxnOffsetCommit v3, KIP-447)',
  })
}
