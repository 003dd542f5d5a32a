import { MillraceError } from '../../errors.ts'
import type { Life } from './life.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What may happen to the requests of one instance on their way to one system; probabilities. */
export interface LinkFaults {
  readonly unavailable: number
  readonly lostAnswers: number
  readonly repeated: number
  readonly strays: number
  /** Longest time of one way, ms. */
  readonly latencyMs: number
}

export interface LinkOptions {
  readonly life: Life
  readonly random: Random
  readonly scheduler: Scheduler
  /** Changes while the simulation runs. */
  readonly faults: () => LinkFaults
  /** Nothing gets through at this moment. */
  readonly isCut: () => boolean
  readonly trace: (what: string) => void
  readonly injected: (fault: keyof LinkFaults) => void
}

/** The network between one instance and a system outside of it. */
export interface Link {
  /** Asks for something. `again`: it does no harm when the request arrives twice, and sometimes it does. */
  call<T>(what: string, carryOut: () => Promise<T>, again?: boolean): Promise<T>
  /** Throws what a call that got no answer throws. */
  noAnswer(what: string): never
}

export function createLink({ life, random, scheduler, faults, isCut, trace, injected }: LinkOptions): Link {
  const way = () => {
    const { latencyMs } = faults()
    return latencyMs === 0 ? 0 : random.next() * latencyMs
  }
  const noAnswer = (what: string): never => {
    trace(`${what}: unavailable`)
    throw new MillraceError('UNAVAILABLE', `simulated: ${what} got no answer`, { retriable: true })
  }
  const isDrawn = (fault: 'unavailable' | 'lostAnswers' | 'repeated' | 'strays', draw = random.next()) => {
    if (draw >= faults()[fault]) return false
    injected(fault)
    return true
  }

  return {
    noAnswer,
    async call(what, carryOut, again = false) {
      await life.gate()
      // From here on the request is on its way, whatever becomes of who sent it.
      await scheduler.sleep(way())
      if (life.dead && !isDrawn('strays')) await life.gate()
      if (isCut() || isDrawn('unavailable')) {
        await life.gate()
        return noAnswer(what)
      }
      let result = await carryOut()
      if (again && isDrawn('repeated')) {
        trace(`${what}: again`)
        result = await carryOut()
      }
      await scheduler.sleep(way())
      await life.gate()
      if (isDrawn('lostAnswers')) return noAnswer(`${what}: answer lost`)
      trace(what)
      return result
    },
  }
}
