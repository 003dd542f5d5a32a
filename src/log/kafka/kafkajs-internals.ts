/**
 * All that Millrace uses of the inside of kafkajs, which is pinned to 2.2.4. kafkajs opens and authenticates connections
 * (TCP, TLS, SASL plain, SCRAM, OAUTHBEARER, re-authentication) and pairs answers with requests; everything above that is
 * ours. test/log/kafka/kafkajs-internals.test.ts fails when one of these moves:
 *
 * - `kafkajs/src/network/connection`: the class Connection, with the constructor options given below, `connect`,
 *   `setVersions`, `setSupportAuthenticationProtocol`, `isAuthenticated`, `authenticate`, `failIfNotConnected`,
 *   `nextCorrelationId`, `isConnected`, `disconnect`, `rejectRequests`, `processData` (replaced per instance), `clientId`,
 *   `socket`, `requestQueue`.
 * - `kafkajs/src/network/requestQueue`: `push`, `fulfillRequest`, `scheduleCheckPendingRequests` (replaced per instance),
 *   `pending`.
 * - `authenticationProvider` in the SASL options, and what it is given: see oauth-bearer.ts.
 * - The `name` and `code` of errors: see connection-errors.ts.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { SocketTarget } from './frame-socket.ts'
import { oauthBearer } from './oauth-bearer.ts'
import type { SaslOptions } from './options.ts'
import type { Request } from './wire/request.ts'
import { WireWriter } from './wire/wire-writer.ts'

interface RequestQueue {
  readonly pending: readonly unknown[]
  push(request: {
    entry: RequestEntry
    expectResponse: boolean
    /** In ms; the connection's own, if that is longer. */
    requestTimeout: number
    sendRequest(): void
  }): void
  scheduleCheckPendingRequests(): void
  fulfillRequest(answer: { correlationId: number; size: number; payload: Buffer }): void
}

interface RequestEntry {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly correlationId: number
  resolve(answer: { payload: Buffer }): void
  reject(error: Error): void
}

export interface KafkajsConnection {
  readonly clientId: string
  readonly socket?: Socket
  readonly requestQueue: RequestQueue
  connect(): Promise<unknown>
  setVersions(versions: Record<number, { minVersion: number; maxVersion: number }>): void
  setSupportAuthenticationProtocol(isSupported: boolean): void
  /** Does nothing when it is authenticated already, and anew when the session has come to its end (KIP-368). */
  authenticate(): Promise<void>
  isAuthenticated(): boolean
  failIfNotConnected(): void
  nextCorrelationId(): number
  isConnected(): boolean
  disconnect(): Promise<unknown>
  rejectRequests(error: Error): void
  processData(bytes: Buffer): void
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

/** ApiVersions, SaslHandshake, SaslAuthenticate: what is asked before a connection is authenticated. */
const BEFORE_AUTHENTICATION: ReadonlySet<number> = new Set([18, 17, 36])

/**
 * Resolves to what follows the correlation id. In place of kafkajs's own `send`, which copies the body into a buffer of the next
 * power of two, and that into another: 20 MB for a Produce request of 4 MB. Here nothing is copied.
 */
export async function sendOver(
  connection: KafkajsConnection,
  request: SentRequest,
  timeoutMs: number,
): Promise<Buffer> {
  const { apiKey, apiName, apiVersion } = request
  if (!BEFORE_AUTHENTICATION.has(apiKey) && !connection.isAuthenticated()) await connection.authenticate()
  connection.failIfNotConnected()
  const { socket, clientId, requestQueue } = connection
  const correlationId = connection.nextCorrelationId()
  return new Promise((resolve, reject) => {
    requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve: ({ payload }) => resolve(payload), reject },
      expectResponse: true,
      requestTimeout: timeoutMs,
      sendRequest: () => writeRequest(socket!, request, correlationId, clientId),
    })
  })
}

type SentRequest = Pick<Request<unknown>, 'apiKey' | 'apiName' | 'apiVersion' | 'body' | 'tail'>

/** All pieces go to the system in one call (writev). */
export function writeRequest(
  socket: Pick<Socket, 'cork' | 'write' | 'uncork'>,
  { apiKey, apiVersion, body, tail = [] }: SentRequest,
  correlationId: number,
  clientId: string,
): void {
  const head = new WireWriter(1024).int32(0).int16(apiKey).int16(apiVersion).int32(correlationId).string(clientId)
  const start = head.raw(body).finish()
  start.writeInt32BE(tail.reduce((size, piece) => size + piece.length, start.length - 4))
  socket.cork()
  socket.write(start)
  for (const piece of tail) socket.write(piece)
  socket.uncork()
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
