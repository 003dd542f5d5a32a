import { keep } from '../../aggregates/keep.ts'
import type { ProcessorContext } from '../../topology/processor.ts'
import type { TableView } from '../../topology/table.ts'

/**
 * Rows that were looked at before their table has given them out. One that is made and deleted between two commits never
 * comes out, so that whoever has built on it must ask again at the commit.
 */
export interface Sightings<K> {
  /** A row was found, and used for a result with this timestamp. */
  saw(key: K, timestamp: number): void
  /** Call at a commit, when the table has given out its changes: names each row that was seen and is not there any more. */
  flush(gone: (key: K, timestamp: number) => void): void
}

/** @param find - looks into the table */
export function sightings<K, V>(context: ProcessorContext, find: ReturnType<TableView<K, V>>): Sightings<K> {
  if (context.emit === 'update') return { saw() {}, flush() {} }
  const seen = new Map<unknown, { readonly key: K; timestamp: number }>()
  return {
    saw(key, timestamp) {
      const identity = typeof key === 'object' ? JSON.stringify(key) : key
      const known = seen.get(identity)
      if (known === undefined) seen.set(identity, { key: keep(key), timestamp })
      else if (timestamp > known.timestamp) known.timestamp = timestamp
    },
    flush(gone) {
      for (const { key, timestamp } of seen.values()) if (find(key) === undefined) gone(key, timestamp)
      seen.clear()
    },
  }
}
