import { isRetriable, toError } from '../errors.ts'
import type { Clock } from '../time.ts'

export interface RetryOptions {
  readonly clock: Clock
  /** Ends the waiting: the last error is thrown. */
  readonly signal?: AbortSignal
  /** Draws of the jitter; default `Math.random`. */
  readonly random?: () => number
  /** Called before each wait. */
  readonly onRetry?: (error: Error, waitMs: number) => void
}

const FIRST_WAIT = 100
const LONGEST_WAIT = 5_000

/**
 * Calls until it succeeds, waiting ever longer (100 ms, doubling up to 5 s, with jitter so that instances do not come
 * back in step) while it fails with a retriable error. Any other error is thrown at once.
 */
export async function retrying<T>(
  call: () => Promise<T>,
  { clock, signal, random = Math.random, onRetry }: RetryOptions,
): Promise<T> {
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    try {
      return await call()
    } catch (thrown) {
      if (!isRetriable(thrown) || signal?.aborted) throw thrown
      const jittered = wait * (0.5 + random() / 2)
      onRetry?.(toError(thrown), jittered)
      await clock.sleep(jittered, signal)
      if (signal?.aborted) throw thrown
    }
  }
}
