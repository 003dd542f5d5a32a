import type { Aggregate } from '../aggregates/index.ts'
import { json } from '../serde/index.ts'
import type { Serde } from '../serde/serde.ts'
import { serdeValue } from '../state/store.ts'
import type { Grouped } from '../topology/grouped.ts'
import type { Table } from '../topology/table.ts'
import { type AggregateOptions, aggregated } from './aggregate.ts'

export interface ReduceOptions<V> extends AggregateOptions {
  /** How the value is kept in the changelog; default: as it was read, or as JSON where it has been mapped. */
  readonly value?: Serde<V>
  /** Takes a value out again: the rows of a table need it. */
  readonly remove?: (reduced: V, value: V) => V
}

/**
 * Combines the values of each group (and window) two by two; the first value is where it starts.
 *
 * Nulls that reach it (in tumbling and hopping windows, see `nullable`) are given to `combine`; a null result deletes
 * the entry. A table that was grouped needs `remove`, its subtractor. Otherwise as `aggregate`. Kafka Streams: `reduce`.
 *
 * @example
 * ```ts
 * readings.pipe(groupByKey(), reduce('highest', (a, b) => (b.celsius > a.celsius ? b : a)))
 * ```
 */
export function reduce<K, V, R>(
  name: string,
  combine: (reduced: V, value: V) => V,
  options: ReduceOptions<V> = {},
): (grouped: Grouped<K, V, R>) => Table<R, V> {
  const { remove } = options
  return (grouped) => {
    const value: Serde<V> = options.value ?? grouped.serdes.value ?? json<V>()
    const reducer: Omit<Aggregate<V, V | null, V>, 'state'> = {
      kind: 'reduce',
      init: () => null,
      add: (reduced, value) => (reduced === null ? value : combine(reduced, value)),
      ...(remove && { remove: (reduced, value) => (reduced === null ? null : remove(reduced, value)) }),
      merge: (a, b) => (a === null ? b : b === null ? a : combine(a, b)),
      result: (reduced) => reduced!,
    }
    return aggregated('reduce', name, grouped, reducer, serdeValue(value as Serde<V | null>), options)
  }
}
