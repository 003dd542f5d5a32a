import type { StreamClock } from '../../state/stream-time.ts'
import type { Subtopology } from '../../topology/plan.ts'
import { clockKey } from './compile.ts'
import { type Input, PLAIN_LANE } from './input.ts'

/**
 * Time while nothing comes. When every topic that a task reads has had nothing for its `idleAfter`, stream time goes on
 * at the pace of the wall clock from where it stood. It counts only the time for which the log has said that there is
 * nothing: while the log is away nobody knows. What comes of it is committed as anything else is, and told to the tasks
 * behind repartition topics by markers, so that a replay finds it in the log and needs no clock.
 */
export interface IdleSources {
  /** Moves time on if it is due; not while anything is under way. */
  tick(): void
}

/**
 * @param advance - tells every operator that a lane's time has come so far
 * @returns undefined where a topic may not become idle
 */
export function idleSources(
  { sources, nodes }: Pick<Subtopology, 'sources' | 'nodes'>,
  inputs: readonly Input[],
  clocks: ReadonlyMap<string, StreamClock>,
  advance: (lane: number, timestamp: number) => void,
): IdleSources | undefined {
  const reads = (topic: string) => inputs.some((of) => of.topic === topic)
  const own = sources.filter(({ topic, from, global }) => from === undefined && !global && reads(topic))
  if (own.length === 0 || own.some(({ idleAfter }) => idleAfter === undefined)) return undefined
  const watched = own.map(({ topic, idleAfter, index }) => ({
    input: inputs.find((of) => of.topic === topic)!,
    idleAfter: idleAfter!,
    clock: clocks.get(clockKey(nodes[index]))!,
  }))
  // In few steps: each is a marker to every partition behind a repartition.
  const step = Math.max(1, Math.floor(Math.min(...watched.map(({ idleAfter }) => idleAfter)) / 4))
  /** Up to when, by the wall clock, time has been moved on; before that it stood since a record came. */
  let movedUntil = Number.NEGATIVE_INFINITY
  return {
    tick() {
      let quietSince = Number.NEGATIVE_INFINITY
      let heardAt = Number.POSITIVE_INFINITY
      for (const { input, idleAfter } of watched) {
        if (input.queue.length > 0 || input.fetched < input.end) return
        if (input.heardAt - input.quietSince < idleAfter) return
        quietSince = Math.max(quietSince, input.quietSince)
        heardAt = Math.min(heardAt, input.heardAt)
      }
      const time = watched.reduce((latest, { clock }) => Math.max(latest, clock.closing), -1)
      const passed = heardAt - Math.max(quietSince, movedUntil)
      if (passed < step) return
      movedUntil = heardAt
      // Nothing was ever read: there is no time to go on from but the clock's own.
      advance(PLAIN_LANE, time < 0 ? quietSince : time + passed)
    },
  }
}
