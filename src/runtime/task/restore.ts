import type { RecordBatch } from '../../log/batch/record-batch.ts'
import type { StateStore } from '../../state/store.ts'

/**
 * Applies the records of one batch of a changelog, from index `first` on, and returns how many. Throws `PendingSchema`
 * like a codec; `applied` in it is not needed, since applying a record twice changes nothing.
 */
export function restoreStore(store: StateStore, batch: RecordBatch, first: number): number {
  const { count, keyStart, keyEnd, valueStart, valueEnd, timestamps } = batch
  for (let i = first; i < count; i++) {
    store.restore(batch, keyStart[i], keyEnd[i], valueStart[i], valueEnd[i], timestamps[i])
  }
  return count - first
}
