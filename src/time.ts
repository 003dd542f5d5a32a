/** Durations are whole milliseconds everywhere; these make them readable. */
export const milliseconds = (n: number): number => n
export const seconds = (n: number): number => n * 1000
export const minutes = (n: number): number => n * 60_000
export const hours = (n: number): number => n * 3_600_000
export const days = (n: number): number => n * 86_400_000

/**
 * Wall-clock time and timers, so that nothing else reads the real clock: tests and simulations put their own in.
 * Event time never comes from here, only from records.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or at once when `signal` aborts (it does not reject). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets whatever else waits in this process go first: a turn of the event loop. */
  breathe(): Promise<void>
}

/**
 * The reason of an abort that only ends a wait. Without one, each `abort()` makes a DOMException with a stack, which costs
 * more than the wait.
 */
export const WAIT_ENDED = Object.freeze(new Error('the wait was ended'))

/** The machine's own clock. */
export const systemClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
}

/** A clock that stands still until it is advanced. */
export interface ManualClock extends Clock {
  /** Moves time on by `ms` and wakes every sleeper that is due, in the order of their time. */
  advance(ms: number): void
}

/** A clock for tests: `sleep` ends only when `advance` has passed its time. */
export function manualClock(start = 0): ManualClock {
  let now = start
  let sleepers: { at: number; wake: () => void }[] = []
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted || ms <= 0) return resolve()
        const sleeper = { at: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener(
          'abort',
          () => {
            sleepers = sleepers.filter((other) => other !== sleeper)
            resolve()
          },
          { once: true },
        )
      }),
    breathe: systemClock.breathe,
    advance(ms) {
      now += ms
      const due = sleepers.filter((sleeper) => sleeper.at <= now).sort((a, b) => a.at - b.at)
      sleepers = sleepers.filter((sleeper) => sleeper.at > now)
      for (const sleeper of due) sleeper.wake()
    },
  }
}
