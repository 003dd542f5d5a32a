import { type ErrorCode, type ErrorContext, MillraceError } from '../../errors.ts'
import type { RunState } from '../status.ts'

/** What a thread is started with. */
export interface ThreadStart {
  /** URL of the module that exports the job. */
  readonly job: string
  readonly index: number
  readonly threads: number
  readonly data: unknown
}

/** What a thread may be asked; each question gets one answer. */
export interface Questions {
  /** That it may join its group now, after it has said that it is ready. */
  readonly join: { readonly of: undefined; readonly answer: undefined }
  readonly stop: { readonly of: undefined; readonly answer: undefined }
  readonly caughtUp: { readonly of: undefined; readonly answer: undefined }
  readonly lag: { readonly of: undefined; readonly answer: number }
  /** In prom-client's JSON. */
  readonly metrics: { readonly of: undefined; readonly answer: object[] }
  /** The name of a store. */
  readonly query: { readonly of: string; readonly answer: readonly StoreRow[] }
}

/** An entry of a store, as it crosses from a thread. */
export interface StoreRow {
  readonly key: unknown
  readonly start: number
  readonly value: unknown
  readonly timestamp: number
}

export interface Question {
  readonly id: number
  readonly ask: keyof Questions
  readonly of: unknown
}

export type ThreadMessage =
  | { readonly type: 'started'; readonly application: string }
  /** It has all that it needs to join its group, and waits to be told that it may. */
  | { readonly type: 'ready' }
  | { readonly type: 'state'; readonly state: Omit<RunState, 'error'> }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly error: SentError }
  | { readonly type: 'failed'; readonly error: SentError }
  | { readonly type: 'ended' }

/** The structured clone algorithm keeps an error's message and stack, but none of our own fields. */
export interface SentError {
  readonly message: string
  readonly stack: string | undefined
  readonly code?: ErrorCode
  readonly context?: ErrorContext
  readonly retriable?: boolean
  readonly cause?: SentError
}

export function sendable(error: Error): SentError {
  const { message, stack, cause } = error
  const sent = { message, stack, ...(cause instanceof Error && { cause: sendable(cause) }) }
  if (!(error instanceof MillraceError)) return sent
  const { key, ...context } = error.context
  // A key may be anything, also what cannot be cloned.
  const shown = key === undefined ? {} : { key: String(key) }
  return { ...sent, code: error.code, context: { ...context, ...shown }, retriable: error.retriable }
}

/** The error in this thread. The message holds context and hint already. */
export function received({ message, stack, code, context, retriable, cause: sent }: SentError): Error {
  const cause = sent && received(sent)
  const error =
    code === undefined ? new Error(message, { cause }) : new MillraceError(code, message, { cause, retriable })
  if (error instanceof MillraceError) Object.assign(error.context, context)
  error.stack = stack
  return error
}
