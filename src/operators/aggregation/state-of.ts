import type { Aggregate } from '../../aggregates/aggregate.ts'
import { type AggregateRow, rowOf } from '../../aggregates/row.ts'
import { sessionWindowed, windowed } from '../../serde/windowed.ts'
import { keyValueStore } from '../../state/key-value-store.ts'
import { sessionStore } from '../../state/session-store.ts'
import { slidingStore } from '../../state/sliding-store.ts'
import type { StoreValue } from '../../state/store.ts'
import { windowStore } from '../../state/window-store.ts'
import type { Grouped } from '../../topology/grouped.ts'
import { type AnySerde, type Node, out, type Serdes } from '../../topology/node.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { Stream } from '../../topology/stream.ts'
import { type AnyTableView, Table } from '../../topology/table.ts'
import type { Windows } from '../../windows/windows.ts'
import { lateOf } from '../late.ts'
import { aligned } from './aligned.ts'
import { byKey } from './by-key.ts'
import { counted, positionStore } from './counted.ts'
import { ofTable } from './of-table.ts'
import { session } from './session.ts'
import { sliding } from './sliding.ts'
import { viewByKey, viewBySlidingWindow, viewByWindow } from './view.ts'
import { WAITING } from './waiting.ts'

/** Any values and results: the store and the processor know the accumulator alone. */
// biome-ignore lint/suspicious/noExplicitAny: typed where users call it
type Adding<A> = Omit<Aggregate<any, A, any>, 'state'>

/** An aggregation by key, or by key and window: its store, how it is processed, and the table that comes out. */
export interface AggregationState<A> {
  node(kind: string): Pick<Node, 'kind' | 'name' | 'parameters' | 'stores' | 'emitsResults' | 'problems'>
  processor(aggregate: Adding<A>): ProcessorFactory
  table<K, V, R, O>(aggregation: Node, aggregate: Adding<A>, serdes: Serdes): Table<R, O, Stream<K, V>>
}

export function stateOf<K, A>(
  name: string,
  aggregate: Pick<Adding<A>, 'kind' | 'merge' | 'remove'>,
  { windows, changes }: Pick<Grouped<unknown, unknown, unknown>, 'windows' | 'changes'>,
  key: AnySerde,
  value: StoreValue<A>,
  retention: number,
): AggregationState<A> {
  const parameters = { aggregate: aggregate.kind, ...(windows ? { windows: windows.describe } : {}) }
  const { stores, processor, view, storeKey } = kept<K, A>(
    { name, key, value, parameters, row: rowOf<A, unknown>(aggregate) },
    windows,
    changes,
    retention,
  )
  return {
    node: (kind) => ({
      kind,
      name,
      parameters,
      stores,
      emitsResults: true,
      problems: problemsOf(aggregate, windows, changes),
    }),
    processor,
    table: (aggregation, aggregate, serdes) => {
      const closes = windows !== undefined && windows.kind !== 'unlimited'
      return new Table(out(aggregation), windows ? {} : { key }, {
        store: name,
        view: view?.(aggregate),
        storeKey,
        finals: closes ? out(aggregation, 'final') : undefined,
        waiting: closes ? { input: out(aggregation, WAITING), key } : undefined,
        late: lateOf(aggregation, serdes, windows !== undefined && windows.kind !== 'count'),
      })
    },
  }
}

interface Kept<A> {
  readonly stores: readonly StoreSpec[]
  readonly processor: (aggregate: Adding<A>) => ProcessorFactory
  readonly view?: (aggregate: Adding<A>) => AnyTableView
  readonly storeKey: AnySerde
}

/** The store that fits the windows, and what works on it. */
function kept<K, A>(
  common: {
    readonly name: string
    readonly key: AnySerde
    readonly value: StoreValue<A>
    readonly parameters: Readonly<Record<string, unknown>>
    readonly row: AggregateRow<A> | undefined
  },
  windows: Windows | undefined,
  changes: boolean,
  retention: number,
): Kept<A> {
  if (windows === undefined) {
    const store = keyValueStore<K, A>(common)
    const view = (aggregate: Adding<A>) => viewByKey(store, aggregate)
    return {
      stores: [store],
      processor: (aggregate) => (changes ? ofTable(aggregate, store) : byKey(aggregate, store)),
      view,
      storeKey: common.key,
    }
  }
  switch (windows.kind) {
    case 'sliding': {
      const store = slidingStore<K, A>({ ...common, span: windows.timeDifference })
      return {
        stores: [store],
        processor: (aggregate) => sliding(aggregate, windows, store, retention),
        view: (aggregate) => viewBySlidingWindow(store, aggregate),
        storeKey: windowed(common.key, { size: windows.timeDifference }),
      }
    }
    case 'count': {
      const store = windowStore<K, A>({ ...common, row: undefined })
      const positions = positionStore<K>(common.name, common.key)
      return {
        stores: [store, positions],
        processor: (aggregate) => counted(aggregate, windows, store, positions),
        view: (aggregate) => viewByWindow(store, aggregate),
        storeKey: windowed(common.key, { size: windows.size }),
      }
    }
    case 'session': {
      const store = sessionStore<K, A>({ ...common, span: windows.gap })
      const processor = (aggregate: Adding<A>) => session(aggregate, windows, store, retention)
      return { stores: [store], processor, storeKey: sessionWindowed(common.key) }
    }
    default: {
      const store = windowStore<K, A>(common)
      return {
        stores: [store],
        processor: (aggregate) => aligned(aggregate, windows, store, retention),
        view: (aggregate) => viewByWindow(store, aggregate),
        storeKey: windowed(common.key, { size: windows.endOf }),
      }
    }
  }
}

function problemsOf(
  { kind, merge, remove }: { readonly kind: string; readonly merge?: unknown; readonly remove?: unknown },
  windows: Windows | undefined,
  changes: boolean,
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
