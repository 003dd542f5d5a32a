import { isRetriable, toError } from '../../errors.ts'
import type { Clock } from '../../time.ts'

export interface Retries {
  readonly clock: Clock
  /** Calls in all, the first included. */
  readonly attempts: number
  /** Before the second call, in ms; doubled before each further one, and spread by a quarter either way. */
  readonly firstDelay: number
  readonly onRetry: (error: Error) => void
}

/** Calls `attempt` until it succeeds, fails for good, or has failed too often. */
export async function retrying<T>(retries: Retries, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isRetriable(error) || failures >= retries.attempts) throw error
      retries.onRetry(toError(error))
      await retries.clock.sleep(retries.firstDelay * 2 ** (failures - 1) * (0.75 + Math.random() / 2))
    }
  }
}
