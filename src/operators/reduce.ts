import type { Aggregate } from '../aggregates/index.ts'
import { json } from '../serde/index.ts'
import type { Serde } from '../serde/serde.ts'
import { serdeValue } from '../state/store.ts'
import type { Grouped } from '../topology/grouped.ts'
import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import { type AggregateOptions, aggregated } from './aggregate.ts'

export interface ReduceOptions<V> extends AggregateOptions {
  /** How the value is kept in the changelog; default: as it was read, or as JSON where it has been mapped. */
  readonly value?: Serde<V>
  /** Takes a value out again: the rows of a table need it. */
  readonly remove?: (reduced: V, value: V) => V
}

/**
 * Combines the values of each group (and window) two by two; the first value is where it starts. A table that was
 * grouped needs `remove`, its subtractor. Otherwise as `aggregate`.
 *
 * @ordering As `aggregate`.
 * @state As `aggregate`; the changelog holds values, with the serde of the stream.
 * @nulls As `aggregate`: where nulls reach it (tumbling and hopping windows) they are given to `combine`. A null
 * result deletes the entry.
 * @late As `aggregate`.
 * @kafkaStreams `reduce`.
 *
 * @marble
 * ```ts
 * numbers.pipe(groupByKey(), reduce('highest', Math.max))
 * ```
 * ```marbles
 * numbers | a=3@1 | a=2@2 | a=4@3
 * out     | a=3@1 | a=3@2 | a=4@3
 * ```
 *
 * @example
 * ```ts
 * readings.pipe(groupByKey(), reduce('highest', (a, b) => Math.max(a, b)))
 * ```
 */
export function reduce<K, V, R>(
  name: string,
  combine: (reduced: V, value: V) => V,
  options: ReduceOptions<V> = {},
): (grouped: Grouped<K, V, R>) => Table<R, V, Stream<K, V>> {
  const { remove } = options
  return (grouped) => {
    const value: Serde<V> = options.value ?? grouped.serdes.value ?? json<V>()
    const reducer: Omit<Aggregate<V, V | null, V>, 'state'> = {
      kind: 'reduce',
      init: () => null,
      add: (reduced, value) => (reduced === null ? value : combine(reduced, value)),
      ...(remove && { remove: (reduced, value) => (reduced === null ? null : remove(reduced, value)) }),
      neutral: true,
      merge: (a, b) => (a === null ? b : b === null ? a : combine(a, b)),
      result: (reduced) => reduced!,
    }
    return aggregated('reduce', name, grouped, reducer, serdeValue(value as Serde<V | null>), options)
  }
}
