import type { Clock } from '../../time.ts'
import type { Scheduler } from './scheduler.ts'

/**
 * Whether an instance lives, stands still or is dead, as its surroundings see it: everything it waits for passes
 * through `gate`, which never opens again for the dead.
 */
export interface Life {
  readonly name: string
  readonly clock: Clock
  readonly dead: boolean
  /** Resolves at once for the living, on `resume` for the paused, never for the dead. */
  gate(): Promise<void>
  kill(): void
  pause(): void
  resume(): void
  /** The wall clock reads so much more (or less) from now on. */
  jump(ms: number): void
}

export function createLife(name: string, scheduler: Scheduler): Life {
  let dead = false
  let paused: { readonly until: Promise<void>; readonly end: () => void } | undefined
  let offset = 0
  const never = new Promise<void>(() => {})
  const gate = async (): Promise<void> => {
    while (paused !== undefined && !dead) await paused.until
    if (dead) await never
  }
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    await scheduler.sleep(ms, signal)
    if (dead || paused) await gate()
  }
  return {
    name,
    clock: { now: () => Math.floor(scheduler.now() + offset), sleep, breathe: () => sleep(0) },
    get dead() {
      return dead
    },
    gate,
    kill() {
      dead = true
      paused?.end()
    },
    pause() {
      if (paused !== undefined) return
      let end = () => {}
      const until = new Promise<void>((resolve) => {
        end = resolve
      })
      paused = { until, end }
    },
    resume() {
      const was = paused
      paused = undefined
      was?.end()
    },
    jump(ms) {
      offset += ms
    },
  }
}
