import { keep } from '../../aggregates/keep.ts'
import { MillraceError, toError } from '../../errors.ts'
import type { RecordBatch } from '../../log/batch/record-batch.ts'
import { PendingSchema, type SchemaRegistry } from '../../serde/serde.ts'
import type { GlobalStore } from '../../state/global-store.ts'
import type { GlobalSource } from '../../topology/global-table.ts'
import { storeFull } from './store-full.ts'

const FULL = 'make it a table, which is divided among the tasks and may be kept on disk'

/** A global table at work: its store, and how batches of its topic get into it. */
export interface GlobalRows {
  readonly source: GlobalSource
  readonly store: GlobalStore<unknown, unknown>
  /**
   * Applies the records of a batch from an offset on. Throws `PendingSchema`: load it and apply the batch again, which
   * changes nothing for the rows that are in. Throws `STORE_FULL`.
   */
  apply(batch: RecordBatch, from: number, onUndecodable: (error: Error, offset: number) => void): void
}

export function globalRows(source: GlobalSource, registry?: SchemaRegistry): GlobalRows {
  const { topic } = source
  const store = source.spec.create({ open: (serde, part) => serde.open({ topic, part, registry }) }) as GlobalStore<
    unknown,
    unknown
  >
  const keys = source.key.open({ topic, part: 'key', registry })
  const values = source.value.open({ topic, part: 'value', registry })
  return {
    source,
    store,
    apply(batch, from, onUndecodable) {
      const { count, offsets, timestamps, keyStart, keyEnd, valueStart, valueEnd } = batch
      for (let i = 0; i < count; i++) {
        if (offsets[i] < from || keyStart[i] < 0) continue
        try {
          const key = keys.decode(batch, keyStart[i], keyEnd[i])
          const value = valueStart[i] < 0 ? null : keep(values.decode(batch, valueStart[i], valueEnd[i]))
          store.put(key, value, timestamps[i])
        } catch (thrown) {
          if (thrown instanceof PendingSchema) throw thrown
          const error = toError(storeFull(thrown, 'every instance', [{ name: source.spec.name, store }], FULL))
          if (error instanceof MillraceError && error.code === 'STORE_FULL') throw error
          onUndecodable(error, offsets[i])
        }
      }
    },
  }
}
