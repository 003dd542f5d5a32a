import { hash53 } from '../../aggregates/hash.ts'
import { plainState } from '../../aggregates/plain-state.ts'
import { ByteWriter } from '../../serde/bytes.ts'
import { json, string } from '../../serde/index.ts'
import type { Serde } from '../../serde/serde.ts'
import { keyValueStore } from '../../state/key-value-store.ts'
import { serdeValue } from '../../state/store.ts'
import { subscriptionStore } from '../../state/subscription-store.ts'
import { node, out } from '../../topology/node.ts'
import type { Forward, ProcessorFactory } from '../../topology/processor.ts'
import { Table, type TableView } from '../../topology/table.ts'
import { through } from '../repartition.ts'
import { keptRows } from '../tables/kept-rows.ts'
import { sameKey } from '../tables/same-key.ts'
import { sightings } from '../tables/sightings.ts'
import { storeView } from '../tables/store-view.ts'
import { type Answer, answerSerde, type Subscription, subscriptionSerde } from './foreign-key-messages.ts'
import type { TableJoinOptions } from './table-table.ts'

/**
 * Join of a table with another by a key that its rows hold (KIP-213). A left row subscribes, under its foreign key, with the
 * right side's task, which answers with the right row, at once and whenever it changes. The answer carries the hash of the
 * left value that asked: one that comes after the left row has changed is stale and dropped.
 */
export function joinByForeignKey<K, V, F, W, R>(
  kind: 'foreignKeyJoin' | 'leftForeignKeyJoin',
  name: string,
  left: Table<K, V>,
  right: Table<F, W>,
  foreignKey: (value: V, key: K) => F | null,
  joiner: (left: V, right: W | null, key: K) => R | null,
  options: TableJoinOptions<K, R> = {},
): Table<K, R> {
  const outer = kind === 'leftForeignKeyJoin'
  const key: Serde<K> = options.key ?? left.serdes.key ?? (string() as Serde<unknown> as Serde<K>)
  const foreign: Serde<F> = right.serdes.key ?? (string() as Serde<unknown> as Serde<F>)
  const values: Serde<W> = right.serdes.value ?? json<W>()
  const value = options.value ?? json<R>()

  const subscribe = node({
    kind: 'subscribe',
    name,
    inputs: [left.input],
    wantsOld: true,
    processor: subscriber(outer, foreignKey),
  })
  const subscriptions = through(
    out(subscribe),
    `${name}-subscription`,
    { key: foreign, value: subscriptionSerde(key) },
    { follows: true },
  )
  const spec = subscriptionStore<F, K>({ name: `${name}-subscriptions`, foreignKey: foreign, key })
  const answer = node({
    kind: 'answer',
    name,
    inputs: [subscriptions, right.input],
    stores: [spec],
    copartitioned: true,
    emitsResults: true,
    processor: (context) => {
      const store = context.store(spec)
      const find: ReturnType<TableView<F, W>> = right.view!(context)
      const next: Forward<K, Answer<W>> = context.forward()
      const seen = sightings(context, find)
      const tell = (key: F, right: W | null, timestamp: number) => {
        for (const of of store.of(key)) next(of.key.key, { hash: of.value!, right }, timestamp)
      }
      return {
        inputs: [
          (key: F, { key: of, hash, intent }: Subscription<K>, timestamp) => {
            const row = find(key)
            if (intent === 'end' || intent === 'leave') store.remove(key, of, timestamp)
            else store.put(key, of, hash, timestamp)
            if (intent === 'end') return
            const newest = row ? Math.max(timestamp, row.timestamp) : timestamp
            if (row) seen.saw(key, newest)
            if (intent === 'leave') next(of, { hash, right: null }, newest)
            else if (row) next(of, { hash, right: row.value }, newest)
            else if (intent === 'ask') next(of, { hash, right: null }, timestamp)
          },
          tell,
        ],
        flush: () => seen.flush((key, timestamp) => tell(key, null, timestamp)),
      }
    },
  })
  const answers = through(out(answer), `${name}-answer`, { key, value: answerSerde(values) }, { follows: true })
  const rows = keyValueStore<K, R>({ name, key, value: serdeValue(value) })
  const joined = node({
    kind,
    name,
    inputs: [answers, left.input],
    stores: [rows],
    copartitioned: true,
    emitsResults: true,
    problems: left.view && right.view ? [] : ['one of its tables keeps no rows to look up: end it with toTable(…)'],
    processor: (context) => {
      const kept = keptRows(context, rows)
      const find: ReturnType<TableView<K, V>> = left.view!(context)
      const hashOf = hasher()
      const seen = sightings(context, find)
      return {
        inputs: [
          (key: K, { hash, right }: Answer<W>, timestamp) => {
            const row = find(key)
            if (row) seen.saw(key, timestamp)
            if ((row === undefined ? NO_ROW : hashOf(row.value)) !== hash) return context.drop('stale')
            const none = row === undefined || (right === null && !outer)
            kept.put(key, none ? null : joiner(row.value, right, key), timestamp)
          },
          (key: K, value: V | null, timestamp) => {
            // What points at nothing gets no answer.
            if (!outer) return
            if (value === null) kept.put(key, null, timestamp)
            else if (foreignKey(value, key) === null) kept.put(key, joiner(value, null, key), timestamp)
          },
        ],
        flush() {
          seen.flush((key, timestamp) => kept.put(key, null, timestamp))
          kept.flush()
        },
      }
    },
  })
  return new Table<K, R>(out(joined), { key, value }, { store: name, view: storeView(rows) })
}

/** The hash of a row that is not there. */
const NO_ROW = -1

function subscriber<K, V, F>(outer: boolean, foreignKey: (value: V, key: K) => F | null): ProcessorFactory {
  return (context) => {
    const next: Forward<F, Subscription<K>> = context.forward()
    const hashOf = hasher()
    return {
      inputs: [
        (key: K, now: V | null, timestamp, old?: V | null) => {
          const from = old === null || old === undefined ? null : foreignKey(old, key)
          const to = now === null ? null : foreignKey(now, key)
          if (from !== null && !sameKey(from, to)) {
            const leaves = to === null && !outer
            next(from, { key, hash: now === null ? NO_ROW : hashOf(now), intent: leaves ? 'leave' : 'end' }, timestamp)
          }
          if (to !== null) {
            next(to, { key, hash: hashOf(now), intent: outer || from !== null ? 'ask' : 'begin' }, timestamp)
          } else if (now !== null && !outer) context.drop('null-key')
        },
      ],
    }
  }
}

/** The same for equal values, on every machine and in every version: what was hashed years ago is compared today. */
function hasher(): (value: unknown) => number {
  const { encode } = plainState<unknown>('foreign-key join')
  const bytes = new ByteWriter(256)
  return (value) => {
    encode(value, bytes.reset())
    return hash53(bytes.buffer.latin1Slice(0, bytes.position))
  }
}
