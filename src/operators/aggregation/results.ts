import type { Aggregate } from '../../aggregates/aggregate.ts'
import type { Entry } from '../../state/store.ts'
import type { Forward, ProcessorContext } from '../../topology/processor.ts'

/** How an aggregation gives its results out, as its task is told: at every update, or once per key and commit. */
export interface Results<K, A> {
  /** Call before an entry changes. */
  before(entry: Entry<K, A>): void
  /** Call after an entry has changed and was touched. */
  after(entry: Entry<K, A>): void
  /** Call at a commit with all changed entries. */
  flush(changed: readonly Entry<K, A>[]): void
}

/** @param keyOf - the key of the result: the entry's own, or windowed */
export function results<K, A, R>(
  context: ProcessorContext,
  aggregate: Pick<Aggregate<never, A, R>, 'result'>,
  keyOf: (entry: Entry<K, A>) => unknown,
): Results<K, A> {
  const next: Forward = context.forward()
  const { wantsOld } = context
  const give = (entry: Entry<K, A>) => {
    const result = entry.value === null ? null : aggregate.result(entry.value)
    const old = wantsOld ? entry.given : undefined
    if (wantsOld) entry.given = result
    next(keyOf(entry), result, entry.timestamp, old)
  }
  return {
    before(entry) {
      // Restored: what was given out last is what the changelog holds.
      if (wantsOld && entry.given === undefined && entry.value !== null) entry.given = aggregate.result(entry.value)
    },
    after: context.emit === 'update' ? give : () => {},
    flush(changed) {
      if (context.emit === 'update') return
      // What was made and deleted since the last commit never came out.
      for (const entry of changed) if (entry.value !== null || entry.logged) give(entry)
    },
  }
}
