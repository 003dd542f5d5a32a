import { MillraceError } from '../../errors.ts'
import type { OutsideWork, Processor } from '../../topology/processor.ts'

/** What a task waits for from outside, over all of its operators. */
export interface Outside extends Pick<OutsideWork, 'room' | 'inFlight' | 'settle' | 'close'> {
  /** Resolves when something comes back. */
  next(): Promise<void>
  /** Being brought to rest for a commit, or at rest: no record may be processed. */
  readonly resting: boolean
  /**
   * Flushes the operators, those upstream first, and waits after each until nothing is under way: what comes back may
   * change those downstream. Rejects with `FENCED` when the task is dropped meanwhile.
   */
  rest(): Promise<void>
  /** The commit has taken what there was. */
  wakeUp(): void
}

/** Undefined where no operator has to do with the outside. */
export function outsideOf(processors: readonly Processor[]): Outside | undefined {
  const all = processors.flatMap(({ outside }) => outside ?? [])
  if (all.length === 0) return undefined
  let closed = false
  let resting = false
  const inFlight = () => all.reduce((sum, of) => sum + of.inFlight, 0)
  const settle = () => {
    for (const of of all) of.settle()
  }
  const next = () => Promise.race(all.filter((of) => of.inFlight > 0).map((of) => of.next()))
  const quiet = async () => {
    for (settle(); inFlight() > 0; settle()) {
      await next()
      if (closed) throw new MillraceError('FENCED', 'the task was dropped while calls were under way')
    }
  }
  return {
    get room() {
      return all.reduce((least, of) => Math.min(least, of.room), Number.POSITIVE_INFINITY)
    },
    get inFlight() {
      return inFlight()
    },
    get resting() {
      return resting
    },
    settle,
    next,
    async rest() {
      resting = true
      await quiet()
      for (const processor of processors) {
        processor.flush?.()
        await quiet()
      }
    },
    wakeUp() {
      resting = false
    },
    close() {
      closed = true
      for (const of of all) of.close()
    },
  }
}
