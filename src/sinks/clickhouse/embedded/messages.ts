import type { ErrorCode } from '../../../errors.ts'

/** To the child: open the directory and listen. The password comes this way because arguments and environments show. */
export interface StartMessage {
  readonly type: 'start'
  readonly path: string
  readonly port: number
  readonly username: string
  readonly password: string
}

/** To the child: finish what is running, then exit. Its parent's death says the same, less patiently. */
export interface CloseMessage {
  readonly type: 'close'
}

/** From the child, in answer to `start`. */
export type StartAnswer = { readonly type: 'ready'; readonly port: number } | FailedAnswer

export interface FailedAnswer {
  readonly type: 'failed'
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
}

/** In the data directory: who serves it, for the message to whoever comes second. The lock itself is the engine's. */
export const OWNER_FILE = 'served-by.json'
