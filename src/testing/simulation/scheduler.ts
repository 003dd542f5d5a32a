import { MillraceError } from '../../errors.ts'
import { type Clock, systemClock } from '../../time.ts'
import type { Random } from './random.ts'

const TURNS_PER_LOOP = 1_000
/** So many turns of the event loop without anybody who sleeps, and it is over. */
const TURNS_OF_IDLING = 100
/** So many wake-ups at one moment, and time stands still: runs have some hundreds, when calls take no time. */
const MOST_AT_ONE_MOMENT = 1_000_000

/**
 * Virtual time: nothing waits for the real clock, and what is due at the same moment wakes in an order that the seed
 * decides. Everything that runs on its clock and does no I/O of its own runs the same way every time.
 */
export interface Scheduler extends Clock {
  /** Calls back after `ms` of virtual time. */
  after(ms: number, call: () => void): void
  /** Lets time pass until `work` has ended. Throws `INTERNAL` when nothing is left to wait for, after `limitMs`, or when it stands still. */
  drive<T>(work: Promise<T>, limitMs: number): Promise<T>
}

interface Sleeper {
  readonly at: number
  /** Decides among those that are due together. */
  readonly order: number
  readonly wake: () => void
}

/** @param start - where the clock begins, ms since the epoch */
export function createScheduler(random: Random, start = 0): Scheduler {
  let now = start
  const sleepers: Sleeper[] = []

  // A binary heap, earliest first.
  const earlier = (a: Sleeper, b: Sleeper) => a.at < b.at || (a.at === b.at && a.order < b.order)
  const push = (sleeper: Sleeper) => {
    let i = sleepers.push(sleeper) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!earlier(sleeper, sleepers[parent])) break
      sleepers[i] = sleepers[parent]
      i = parent
    }
    sleepers[i] = sleeper
  }
  const pop = (): Sleeper | undefined => {
    const first = sleepers[0]
    const last = sleepers.pop()
    if (last === undefined || sleepers.length === 0) return first
    let i = 0
    for (let child = 1; child < sleepers.length; child = 2 * i + 1) {
      if (child + 1 < sleepers.length && earlier(sleepers[child + 1], sleepers[child])) child++
      if (!earlier(sleepers[child], last)) break
      sleepers[i] = sleepers[child]
      i = child
    }
    sleepers[i] = last
    return first
  }

  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted) return resolve()
      push({ at: now + Math.max(0, ms), order: random.next(), wake: resolve })
      // Woken early it stays in the heap, and wakes nobody when its time comes.
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })

  return {
    now: () => now,
    sleep,
    breathe: () => sleep(0),
    after: (ms, call) => push({ at: now + Math.max(0, ms), order: random.next(), wake: call }),
    async drive(work, limitMs) {
      let ended = false
      const end = () => {
        ended = true
      }
      work.then(end, end)
      const limit = now + limitMs
      let turns = 0
      let atThisMoment = 0
      for (;;) {
        // Whoever was woken runs until it waits again. This is nearly all that a run costs, and a turn of the event loop
        // asks the system each time; now and then there is one, for the timers and signals of the process.
        if (turns++ % TURNS_PER_LOOP === 0) await systemClock.breathe()
        else await new Promise<void>((resolve) => process.nextTick(resolve))
        if (ended) return work
        let next = pop()
        // Nobody sleeps: somebody may wait for the process itself.
        for (let i = 0; next === undefined && !ended && i < TURNS_OF_IDLING; i++) {
          await systemClock.breathe()
          next = pop()
        }
        if (ended) return work
        if (next === undefined || next.at > limit) {
          const why =
            next === undefined ? 'everybody waits for nothing' : `not done after ${limitMs} ms of virtual time`
          throw new MillraceError('INTERNAL', `simulation: ${why}`)
        }
        atThisMoment = next.at > now ? 0 : atThisMoment + 1
        if (atThisMoment > MOST_AT_ONE_MOMENT) {
          throw new MillraceError('INTERNAL', 'simulation: time stands still: somebody goes on without waiting')
        }
        now = Math.max(now, next.at)
        next.wake()
      }
    },
  }
}
