import { type Clock, WAIT_ENDED } from '../time.ts'

/** How soon it is asked again whether others have committed the rest. */
const POLL_MS = 50

export interface EndWatchOptions {
  /** Whether everything that is there when it is called has been committed. */
  isAtEnd(): Promise<boolean>
  /** Resolves when the next commit from here has ended. */
  nextCommit(): Promise<void>
  /** Rejects when the application ends. */
  readonly ended: Promise<never>
  readonly clock: Clock
}

/**
 * Waits until everything is committed: asks when a commit has ended, and every 50 ms for those of others. One asks for all who
 * wait, and a question answers those who were waiting when it was put.
 */
export function endWatch({ isAtEnd, nextCommit, ended, clock }: EndWatchOptions): () => Promise<void> {
  const waiting: PromiseWithResolvers<void>[] = []

  async function watch(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const asking = waiting.length
        // One that ends while the question is on its way is asked about, too.
        const committed = nextCommit()
        if (await Promise.race([isAtEnd(), ended])) for (const { resolve } of waiting.splice(0, asking)) resolve()
        else {
          const woken = new AbortController()
          await Promise.race([clock.sleep(POLL_MS, woken.signal), committed, ended])
          woken.abort(WAIT_ENDED)
        }
      }
    } catch (error) {
      for (const { reject } of waiting.splice(0)) reject(error)
    }
  }

  return () => {
    const mine = Promise.withResolvers<void>()
    if (waiting.push(mine) === 1) void watch()
    return mine.promise
  }
}
