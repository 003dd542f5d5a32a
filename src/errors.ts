/** Every way in which Millrace can refuse, fail or stop. Codes are stable: match on them, not on messages. */
export type ErrorCode =
  // The program is wrong: thrown while a topology is built, planned or started.
  | 'INVALID_TOPOLOGY'
  | 'INVALID_OPTION'
  | 'INVALID_SCHEMA'
  // A record cannot be processed: fail, dead letter or skip, by policy.
  | 'UNDECODABLE_RECORD'
  | 'UNENCODABLE_RECORD'
  | 'REJECTED_RECORD'
  | 'OPERATOR_FAILED'
  | 'TIMER_FAILED'
  | 'MERGE_FAILED'
  | 'BUFFER_FULL'
  | 'RECORD_TOO_LARGE'
  // Something outside is not there, or not as it must be.
  | 'UNAVAILABLE'
  | 'AUTHENTICATION_FAILED'
  | 'NOT_AUTHORIZED'
  | 'MISSING_TOPIC'
  | 'MISSING_TABLE'
  | 'TOPIC_MISMATCH'
  | 'MISSING_DEPENDENCY'
  | 'UNSUPPORTED_BROKER'
  | 'UNKNOWN_SCHEMA'
  | 'INCOMPATIBLE_SCHEMA'
  | 'OFFSET_OUT_OF_RANGE'
  | 'CORRUPT_BATCH'
  | 'DATA_DIRECTORY'
  | 'DISK_FULL'
  | 'STORE_FULL'
  | 'OUT_OF_MEMORY'
  | 'PORT_IN_USE'
  | 'SINK_REFUSED'
  // Another instance has taken over: stop, forget, rejoin.
  | 'FENCED'
  | 'CLOSED'
  | 'INTERNAL'

/** Where it happened; only what is known is set. */
export interface ErrorContext {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly key?: unknown
  /** Name of the operator, store or sink. */
  readonly node?: string
}

export interface ErrorOptions extends ErrorContext {
  readonly cause?: unknown
  /** What to do about it, as an instruction to the reader. */
  readonly hint?: string
  /** True when the same call may succeed later (the dependency is away); the runtime then waits and retries. */
  readonly retriable?: boolean
}

/**
 * The one error class of the library: a stable `code`, what happened, where, and what to do.
 *
 * @example
 * ```ts
 * try {
 *   throw new MillraceError('MISSING_TOPIC', 'topic "orders" does not exist', { topic: 'orders', hint: 'create it' })
 * } catch (error) {
 *   if (!(error instanceof MillraceError) || error.code !== 'MISSING_TOPIC') throw error
 * }
 * ```
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode
  readonly context: ErrorContext
  readonly hint: string | undefined
  readonly retriable: boolean

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    const { cause, hint, retriable = false, ...context } = options
    super(`${message}${where(context)}${hint ? `\n  → ${hint}` : ''}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.context = context
    this.hint = hint
    this.retriable = retriable
  }
}

function where({ topic, partition, offset, key, node }: ErrorContext): string {
  const parts: string[] = []
  if (node !== undefined) parts.push(`at ${node}`)
  if (topic !== undefined) parts.push(partition === undefined ? `topic ${topic}` : `${topic}/${partition}`)
  if (offset !== undefined) parts.push(`offset ${offset}`)
  if (key !== undefined)
    parts.push(`key ${JSON.stringify(key, (_, part) => (typeof part === 'bigint' ? `${part}` : part))}`)
  return parts.length ? ` (${parts.join(', ')})` : ''
}

/** True for an error after which the same call may succeed later. */
export function isRetriable(error: unknown): boolean {
  return error instanceof MillraceError && error.retriable
}

/** A thrown value as an Error, whatever was thrown. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/**
 * Throw this from any user function to send the record that is being processed to the dead-letter topic,
 * whatever the error policy; it is counted under the reason given.
 *
 * @example
 * ```ts
 * const checked = mapValues((t: { amount: number }) => {
 *   if (t.amount < 0) throw new RejectedRecord('negative amount')
 *   return t
 * })
 * ```
 */
export class RejectedRecord extends MillraceError {
  readonly reason: string
  constructor(reason: string, options: ErrorOptions = {}) {
    super('REJECTED_RECORD', reason, options)
    this.reason = reason
  }
}
