import { type Clock, WAIT_ENDED } from '../../time.ts'

/** How long those that are ready wait for the others: a late one costs a rebalance, which is soon over. */
const PATIENCE_MS = 20_000

/** Where the threads of a process wait for each other before they join, so that the group takes them in together. */
export interface StartingLine {
  /** Resolves when all are ready, or out; or after 20 s. Then it is open for good: who comes later does not wait. */
  ready(index: number): Promise<void>
  /** This thread has ended: nobody waits for it. */
  out(index: number): void
}

/**
 * Whoever joins alone is given all tasks, restores them and begins transactions for them, to give most of that away again
 * when the others come.
 */
export function startingLine(threads: number, clock: Clock): StartingLine {
  const awaited = new Set(Array.from({ length: threads }, (_, index) => index))
  const open = Promise.withResolvers<void>()
  const isOpen = new AbortController()
  let isTimed = false

  const start = () => {
    open.resolve()
    isOpen.abort(WAIT_ENDED)
  }
  const leaveOut = (index: number) => {
    awaited.delete(index)
    if (awaited.size === 0) start()
  }

  return {
    ready(index) {
      leaveOut(index)
      if (!isTimed) void clock.sleep(PATIENCE_MS, isOpen.signal).then(start)
      isTimed = true
      return open.promise
    },
    out: leaveOut,
  }
}
