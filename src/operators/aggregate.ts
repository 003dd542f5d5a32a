import { type Aggregate, type AggregateRecord, combine, type Results } from '../aggregates/index.ts'
import { keyValueStore } from '../state/key-value-store.ts'
import { sessionStore } from '../state/session-store.ts'
import { slidingStore } from '../state/sliding-store.ts'
import type { StoreValue } from '../state/store.ts'
import { windowStore } from '../state/window-store.ts'
import type { Grouped } from '../topology/grouped.ts'
import { node, out } from '../topology/node.ts'
import { Table } from '../topology/table.ts'
import { aligned } from './aggregation/aligned.ts'
import { byKey } from './aggregation/by-key.ts'
import { ofTable } from './aggregation/of-table.ts'
import { session } from './aggregation/session.ts'
import { sliding } from './aggregation/sliding.ts'
import { viewByKey, viewBySlidingWindow, viewByWindow } from './aggregation/view.ts'
import { partitionedByKey } from './repartition.ts'

export interface AggregateOptions {
  /** How long a closed window stays in its store for queries, in ms of stream time. Default 0. */
  readonly retention?: number
}

/**
 * Aggregates each group, and each window of it after `windowedBy`: a record of built-in aggregates, or one of your own
 * (`custom(…)`).
 *
 * The name is the identity of the state: its changelog is `<application>-<name>-changelog`, and the repartition topic, if
 * the key was changed, `<application>-<name>-repartition`. Null keys are dropped and counted; null values too, except
 * in tumbling and hopping windows, which hand them to the aggregate. An aggregate that becomes null deletes its entry. A
 * result's timestamp is the highest in its window. Of a grouped table, rows that change or go are taken out again, by the
 * aggregate's `remove`; it is refused without one. State: one entry per key, or per key and open window.
 * Kafka Streams: `aggregate`.
 *
 * @example
 * ```ts
 * payments.pipe(
 *   groupBy((payment) => payment.category),
 *   windowedBy(tumbling(minutes(1), { grace: seconds(10) })),
 *   aggregate('revenue', { orders: count(), revenue: sum((payment) => payment.amount) }),
 * )   // Table<Windowed<string>, { orders: number, revenue: number }>
 * ```
 */
export function aggregate<K, V, R, S extends AggregateRecord<V> | AnyAggregate<V>>(
  name: string,
  aggregates: S,
  options?: AggregateOptions,
): (grouped: Grouped<K, V, R>) => Table<R, ResultOf<S>> {
  const one = isAggregate(aggregates) ? aggregates : combine<V, AggregateRecord<V>>(aggregates)
  const { state } = one
  return (grouped) =>
    aggregated('aggregate', name, grouped, one as Aggregate<V, unknown, ResultOf<S>>, () => state, options)
}

// biome-ignore lint/suspicious/noExplicitAny: whatever it accumulates and gives
type AnyAggregate<V> = Aggregate<V, any, any>

/** The value that comes out: a field for each aggregate of a record, or what the one aggregate gives. */
export type ResultOf<S> = S extends Aggregate<never, infer _A, infer R> ? R : Results<S>

function isAggregate<V>(of: AnyAggregate<V> | AggregateRecord<V>): of is AnyAggregate<V> {
  return typeof of.init === 'function' && typeof of.add === 'function'
}

/** What `aggregate`, `count` and `reduce` have in common. */
export function aggregated<K, V, R, A, O>(
  kind: string,
  name: string,
  grouped: Grouped<K, V, R>,
  aggregate: Omit<Aggregate<V, A, O>, 'state'>,
  value: StoreValue<A>,
  { retention = 0 }: AggregateOptions = {},
): Table<R, O> {
  const { windows } = grouped
  const { changes } = grouped
  const { input, serdes } = partitionedByKey(grouped, name, changes)
  const parameters = { aggregate: aggregate.kind, ...(windows ? { windows: windows.describe } : {}) }
  const common = { name, key: serdes.key, value, parameters }
  const build = () => {
    if (windows === undefined) {
      const store = keyValueStore<K, A>(common)
      const processor = changes ? ofTable(aggregate, store) : byKey(aggregate, store)
      return { store, processor, view: viewByKey(store, aggregate) }
    }
    switch (windows.kind) {
      case 'sliding': {
        const store = slidingStore<K, A>({ ...common, span: windows.timeDifference })
        const processor = sliding(aggregate, windows, store, retention)
        return { store, processor, view: viewBySlidingWindow(store, aggregate) }
      }
      case 'session': {
        const store = sessionStore<K, A>({ ...common, span: windows.gap })
        return { store, processor: session(aggregate, windows, store, retention) }
      }
      default: {
        const store = windowStore<K, A>(common)
        const processor = aligned(aggregate, windows, store, retention)
        return { store, processor, view: viewByWindow(store, aggregate) }
      }
    }
  }
  const { store, processor, view } = build()
  const aggregation = node({
    kind,
    name,
    inputs: [input],
    parameters,
    stores: [store],
    emitsResults: true,
    processor,
    problems: problemsOf(grouped, aggregate),
  })
  const closes = windows !== undefined && windows.kind !== 'unlimited'
  return new Table<R, O>(out(aggregation), windows ? {} : { key: serdes.key }, {
    store: name,
    view,
    finals: closes ? out(aggregation, 'final') : undefined,
  })
}

function problemsOf(
  { windows, changes }: Grouped<unknown, unknown, unknown>,
  { kind, merge, remove }: { readonly kind: string; readonly merge?: unknown; readonly remove?: unknown },
): string[] {
  const problems: string[] = []
  if (windows?.kind === 'session' && !merge) {
    problems.push(
      `${kind} cannot merge, and sessions merge: give it merge: (a, b) => …, of the earlier and the later accumulator`,
    )
  }
  if (changes && !remove) {
    problems.push(
      `${kind} cannot take a value out again, and rows of a table change: give it remove: (accumulator, value) => …, or aggregate a stream of the updates with toStream()`,
    )
  }
  if (changes && windows) problems.push('the rows of a table have no windows: aggregate its updates with toStream()')
  return problems
}
