export interface BackoffOptions {
  /** Upper bound of the first wait, in ms; it doubles with every further one. */
  readonly firstMs: number
  readonly maxMs: number
  /** In [0, 1): a seeded one makes a test repeatable. */
  readonly random?: () => number
}

export interface Backoff {
  /** How long to wait now, in ms. */
  next(): number
  /** After a success: the next failure waits as briefly as the first one. */
  reset(): void
}

/**
 * Exponential backoff with jitter: each wait is drawn from the upper half of its bound, so that clients which failed
 * together do not all come back together, and none comes back at once.
 */
export function backoff({ firstMs, maxMs, random = Math.random }: BackoffOptions): Backoff {
  let bound = firstMs
  return {
    next() {
      const wait = (bound * (1 + random())) / 2
      bound = Math.min(bound * 2, maxMs)
      return wait
    },
    reset() {
      bound = firstMs
    },
  }
}
