import type { Logger } from 'pino'
import type { Clock } from '../time.ts'
import { retrying } from './backoff.ts'
import type { Status } from './status.ts'

/** Calls something outside and waits while it is away, saying so in health and logs. */
export type Patience = <T>(what: string, call: () => Promise<T>, signal?: AbortSignal) => Promise<T>

export function patience(
  clock: Clock,
  status: Status,
  logger: Logger,
  stop: AbortSignal,
  random?: () => number,
): Patience {
  return async (what, call, signal = stop) => {
    let attempts = 0
    const result = await retrying(call, {
      clock,
      signal,
      random,
      onRetry(error, waitMs) {
        status.waiting(what, error.message)
        // The first of a row and then every tenth: an outage of an hour is not 700 lines.
        if (attempts++ % 10 === 0) logger.warn({ err: error, waitMs: Math.round(waitMs) }, `waiting for ${what}`)
      },
    })
    if (attempts > 0) {
      status.back(what)
      logger.info({ attempts }, `${what} is back`)
    }
    return result
  }
}
