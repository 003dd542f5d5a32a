import { WAIT_ENDED } from '../time.ts'

/**
 * What others ask of a worker (the group's callbacks, `stop`, recovery), carried out by the worker's own loop between
 * two steps: so nothing ever happens beside the loop, and there is nothing to lock.
 */
export interface Commands {
  /** Resolves when the command has been carried out. */
  ask(command: () => Promise<void>): Promise<void>
  /** Carries out what is waiting, in order. */
  carryOut(): Promise<void>
  readonly waiting: boolean
}

/** @param wake called when there is something to do */
export function createCommands(wake: () => void): Commands {
  const queue: { command: () => Promise<void>; resolve: () => void; reject: (error: unknown) => void }[] = []
  return {
    ask: (command) =>
      new Promise((resolve, reject) => {
        queue.push({ command, resolve, reject })
        wake()
      }),
    async carryOut() {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        try {
          await next.command()
          next.resolve()
        } catch (error) {
          next.reject(error)
        }
      }
    },
    get waiting() {
      return queue.length > 0
    },
  }
}

/** A sleep that anybody can end. */
export interface Alarm {
  ring(): void
  /** Resolves when it rings, or at once if it has rung since the last wait; or after `ms`. */
  wait(ms: number): Promise<void>
}

export function createAlarm(sleep: (ms: number, signal: AbortSignal) => Promise<void>): Alarm {
  let rung = false
  let end: AbortController | undefined
  return {
    ring() {
      rung = true
      end?.abort(WAIT_ENDED)
    },
    async wait(ms) {
      if (!rung) {
        end = new AbortController()
        await sleep(ms, end.signal)
        end = undefined
      }
      rung = false
    },
  }
}
