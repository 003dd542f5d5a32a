/**
 * All that Millrace uses of the inside of kafkajs, which is pinned to 2.2.4. kafkajs opens and authenticates connections
 * (TCP, TLS, SASL plain, SCRAM, OAUTHBEARER, re-authentication) and pairs answers with requests; everything above that is
 * ours. test/log/kafka/kafkajs-internals.test.ts fails when one of these moves:
 *
 * - `kafkajs/src/network/connection`: the class Connection, with the constructor options given below, `connect`,
 *   `setVersions`, `setSupportAuthenticationProtocol`, `authenticate`, `send`, `isConnected`, `disconnect`, `rejectRequests`,
 *   `processData` (replaced per instance), `socket`, `requestQueue`.
 * - `kafkajs/src/network/requestQueue`: `fulfillRequest`, `scheduleCheckPendingRequests` (replaced per instance), `pending`.
 * - What `send` needs of an encoder: an object with `buf` and `buffer`.
 * - `authenticationProvider` in the SASL options, and what it is given: see oauth-bearer.ts.
 * - The `name` and `code` of errors: see connection-errors.ts.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { SocketTarget } from './frame-socket.ts'
import { oauthBearer } from './oauth-bearer.ts'
import type { SaslOptions } from './options.ts'

interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
  fulfillRequest(answer: { correlationId: number; size: number; payload: Buffer }): void
}

export interface KafkajsConnection {
  readonly socket?: Socket
  readonly requestQueue: RequestQueue
  connect(): Promise<unknown>
  setVersions(versions: Record<number, { minVersion: number; maxVersion: number }>): void
  setSupportAuthenticationProtocol(isSupported: boolean): void
  authenticate(): Promise<void>
  send(exchange: {
    request: { apiKey: number; apiName: string; apiVersion: number; encode(): Promise<{ buf: Buffer; buffer: Buffer }> }
    response: { decode(raw: Buffer): Promise<Answer>; parse(answer: Answer): Promise<Answer> }
    requestTimeout?: number
    logResponseError?: boolean
  }): Promise<Answer>
  isConnected(): boolean
  disconnect(): Promise<unknown>
  rejectRequests(error: Error): void
  processData(bytes: Buffer): void
}

interface Answer {
  readonly payload: Buffer
  /** kafkajs would hold back further requests; the broker does so by itself (KIP-219). */
  readonly clientSideThrottleTime: 0
}

interface KafkajsLogger {
  namespace(name: string): KafkajsLogger
  setLogLevel(): void
  debug(message: string, extra?: object): void
  info(message: string, extra?: object): void
  warn(message: string, extra?: { broker?: string }): void
  error(message: string, extra?: { broker?: string }): void
}

export interface KafkajsConnectionOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly ssl: ConnectionOptions | null
  readonly sasl: SaslOptions | null
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly socketFactory: (target: SocketTarget) => Socket
  readonly log: (level: 'warn' | 'error', message: string, broker: string | undefined) => void
}

type ConnectionClass = new (options: object) => KafkajsConnection

const require = createRequire(import.meta.url)
let connectionClass: ConnectionClass | undefined

/** A connection of kafkajs, not connected yet, whose socket delivers whole answers (see frame-socket.ts). */
export function kafkajsConnection({ log, sasl, ...options }: KafkajsConnectionOptions): KafkajsConnection {
  connectionClass ??= require('kafkajs/src/network/connection') as ConnectionClass
  const connection = new connectionClass({
    ...options,
    // kafkajs writes an authenticator, bound to the first credentials, into the object that it is given.
    sasl: sasl === null ? null : authentication(sasl, `${options.host}:${options.port}`),
    logger: kafkajsLogger(log),
    enforceRequestTimeout: true,
    maxInFlightRequests: null,
  })
  deliverWholeAnswers(connection)
  armTimersOnlyWhenNeeded(connection.requestQueue)
  return connection
}

/** kafkajs prefers an `authenticationProvider` to its own. */
function authentication(sasl: SaslOptions, broker: string): object {
  if (sasl.mechanism !== 'oauthbearer') return { ...sasl }
  return { mechanism: sasl.mechanism, authenticationProvider: oauthBearer(sasl, broker) }
}

/** Resolves to what follows the correlation id. */
export async function sendOver(
  connection: KafkajsConnection,
  request: { apiKey: number; apiName: string; apiVersion: number; body: Buffer },
  timeoutMs: number,
): Promise<Buffer> {
  const { body, ...header } = request
  const answer = await connection.send({
    request: { ...header, encode: async () => ({ buf: body, buffer: body }) },
    response: {
      decode: async (payload) => ({ payload, clientSideThrottleTime: 0 }),
      parse: async (decoded) => decoded,
    },
    requestTimeout: timeoutMs,
  })
  return answer.payload
}

/** Ends the connection at once; whoever waits for it, or for an answer, gets the error. */
export function discard(connection: KafkajsConnection, error: Error): void {
  connection.rejectRequests(error)
  const { socket } = connection
  // `connect` settles only when the socket says why.
  if (!connection.isConnected()) socket?.destroy(error)
  void connection.disconnect().finally(() => socket?.destroy())
}

/** kafkajs's own `processData` would concatenate the answer with an empty remainder: a copy. */
function deliverWholeAnswers(connection: KafkajsConnection): void {
  connection.processData = (frame) => {
    connection.requestQueue.fulfillRequest({
      correlationId: frame.readInt32BE(4),
      size: frame.length - 4,
      payload: frame.subarray(8),
    })
  }
}

/** kafkajs re-arms a timer with a negative delay for ever after the first answer; Node 24 warns about it. */
function armTimersOnlyWhenNeeded(queue: RequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule.call(queue)
  }
}

function kafkajsLogger(log: KafkajsConnectionOptions['log']): KafkajsLogger {
  const logger: KafkajsLogger = {
    namespace: () => logger,
    setLogLevel: () => {},
    debug: () => {},
    info: () => {},
    warn: (message, extra) => log('warn', message, extra?.broker),
    error: (message, extra) => log('error', message, extra?.broker),
  }
  return logger
}
