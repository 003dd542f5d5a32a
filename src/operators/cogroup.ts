import type { Aggregate } from '../aggregates/index.ts'
import type { Grouped } from '../topology/grouped.ts'
import { type Input, node, type Serdes } from '../topology/node.ts'
import type { ProcessorContext, ProcessorFactory, StreamTime } from '../topology/processor.ts'
import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import type { AggregateOptions } from './aggregate.ts'
import { stateOf } from './aggregation/state-of.ts'
import { partitionedByKey } from './repartition.ts'

/** Another stream of a cogroup, and how its values are added. Made by {@link adding}. */
export interface Adding<K, in out A> {
  readonly grouped: Grouped<K, unknown, unknown>
  add(accumulator: A, value: never, timestamp: number): A
}

/**
 * Another grouped stream for `cogroup`, with the function that adds its values to the accumulator they all share.
 *
 * @example
 * ```ts
 * adding(payments.pipe(groupByKey()), (spent: number, payment) => spent + payment.amount)
 * ```
 */
export function adding<K, V, A>(
  grouped: Grouped<K, V, K>,
  add: (accumulator: A, value: V, timestamp: number) => A,
): Adding<K, A> {
  return { grouped, add }
}

/**
 * Aggregates several grouped streams, each with values of its own, into one accumulator per key (and window): the first
 * stream's aggregate says how it begins, merges and comes out, and `adding(…)` how the others are added.
 *
 * The windows are those of the first stream, and count for all. Streams must have keys of one type, and topics of one
 * partition count; where a key was changed, its stream goes through the repartition topic
 * `<application>-<name>-repartition` (the second and later ones: `<name>-2` …).
 *
 * @ordering As `aggregate`; records of several streams are taken in the order of their timestamps as far as they are
 * at hand.
 * @state As `aggregate`.
 * @nulls As `aggregate`.
 * @late Each stream has a time of its own, as in Kafka Streams: a record is late by the time of its stream. Windows
 * close, and leave memory, by the slowest: while one stream has sent nothing at all, none does.
 * @kafkaStreams `KGroupedStream#cogroup`, `CogroupedKStream`.
 *
 * @marble
 * ```ts
 * numbers.pipe(
 *   groupByKey(),
 *   cogroup('both', sum((n) => n), adding(others.pipe(groupByKey()), (all, n) => ({ ...all, sum: all.sum + 10 * n }))),
 * )
 * ```
 * ```marbles
 * numbers | a=1@1 |        | a=3@3
 * others  |       | a=2@2  |
 * out     | a=1@1 | a=21@2 | a=24@3
 * ```
 *
 * @example
 * ```ts
 * interface Visit { clicks: number; spent: number }
 * const visits = custom({
 *   init: (): Visit => ({ clicks: 0, spent: 0 }),
 *   add: (visit, _click: Click): Visit => ({ ...visit, clicks: visit.clicks + 1 }),
 *   merge: (a, b) => ({ clicks: a.clicks + b.clicks, spent: a.spent + b.spent }),
 * })
 * const paid = adding(payments.pipe(groupByKey()), (visit: Visit, payment) => ({
 *   ...visit,
 *   spent: visit.spent + payment.amount,
 * }))
 * clicks.pipe(groupByKey(), windowedBy(session(minutes(30))), cogroup('visits', visits, paid))
 * ```
 */
export function cogroup<K, V, R, A, O>(
  name: string,
  aggregate: Aggregate<V, A, O>,
  ...others: readonly Adding<K, A>[]
): (first: Grouped<K, V, R>) => Table<R, O, Stream<K, unknown>>
export function cogroup<K, V, R, A, O>(
  name: string,
  options: AggregateOptions,
  aggregate: Aggregate<V, A, O>,
  ...others: readonly Adding<K, A>[]
): (first: Grouped<K, V, R>) => Table<R, O, Stream<K, unknown>>
export function cogroup<K, V, R, A, O>(
  name: string,
  ...rest: readonly unknown[]
): (first: Grouped<K, V, R>) => Table<R, O, Stream<K, unknown>> {
  const [{ retention = 0 }, aggregate, ...others] = (isAggregate(rest[0]) ? [{}, ...rest] : rest) as [
    AggregateOptions,
    Aggregate<V, A, O>,
    ...Adding<K, A>[],
  ]
  return (first) => {
    const { input, serdes } = partitionedByKey(first, name)
    const inputs: Input[] = [input]
    others.forEach(({ grouped }, i) => {
      const { key, value } = grouped.serdes
      const same: Serdes = { key: key ?? serdes.key, value }
      inputs.push(partitionedByKey({ ...grouped, serdes: same }, `${name}-${i + 2}`).input)
    })
    // A copy: what the other streams add knows the accumulator as an object, and not as a row of numbers.
    const state = stateOf<K, A>(name, { ...aggregate }, first, serdes.key, () => aggregate.state, retention)
    const processor: ProcessorFactory = (context) => {
      // One aggregation; which stream the record in work is of says how it is added, and by what time it may be late.
      const adds = [aggregate, ...others].map(
        (of) => of.add.bind(of) as (accumulator: A, value: unknown, timestamp: number) => A,
      )
      const clocks = clocksOf(context, adds.length)
      let add = adds[0]
      // What the others add is a user's own: no word of it being commutative.
      const shared = {
        ...aggregate,
        commutative: false,
        add: (sum: A, value: unknown, timestamp: number) => add(sum, value, timestamp),
      }
      const inner = state.processor(shared)({ ...context, streamTime: () => clocks })
      const receive = inner.inputs[0]
      return {
        ...inner,
        inputs: adds.map((one, input) => (key, value, timestamp) => {
          add = one
          clocks.input = input
          receive(key, value, timestamp)
        }),
      }
    }
    const cogrouped = node({ ...state.node('cogroup'), inputs, copartitioned: true, processor })
    return state.table<K, unknown, R, O>(cogrouped, aggregate, { key: serdes.key })
  }
}

const isAggregate = (of: unknown): boolean => typeof (of as Partial<Aggregate<never, never, never>>).add === 'function'

/** A clock per stream, as one: it is observed by that of the record in work, and closes by the slowest. */
function clocksOf(context: ProcessorContext, inputs: number): StreamTime & { input: number } {
  const clocks = Array.from({ length: inputs }, (_, i) => context.streamTime(`input-${i + 1}`, i))
  const slowest = () => clocks.reduce((a, b) => (b.closing < a.closing ? b : a))
  return {
    input: 0,
    // Streams of one lane each are Kafka Streams' case: each of its inputs has a time of its own there, too.
    lanes: Math.max(...clocks.map(({ lanes }) => lanes)),
    get closing() {
      return slowest().closing
    },
    get slowest() {
      return slowest().slowest
    },
    observe(timestamp) {
      return clocks[this.input].observe(timestamp)
    },
  }
}
