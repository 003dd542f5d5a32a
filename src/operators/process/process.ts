import type { Serde } from '../../serde/serde.ts'
import { out } from '../../topology/node.ts'
import { Stream } from '../../topology/stream.ts'
import type { ForwardOptions, None, ProcessContext, ProcessHandlers, Stores, TimerKeys } from './context.ts'
import { processing } from './processing.ts'

/** One output of `process`: what keys and values it has, and how they are written where they cross a topic. */
export interface OutputDefinition<out K, out V> {
  /** Only at compile time. */
  readonly types?: readonly [K, V]
  readonly key?: unknown
  readonly value?: unknown
}

/**
 * Declares an output of `process` by its types; the serdes are needed where its records are repartitioned and are not
 * strings by key or plain data by value.
 *
 * @example
 * ```ts
 * const alerts = output<string, { reason: string }>()
 * ```
 */
export function output<K, V>(
  serdes: { readonly key?: Serde<K>; readonly value?: Serde<V> } = {},
): OutputDefinition<K, V> {
  return serdes
}

export type Outputs = Readonly<Record<string, OutputDefinition<unknown, unknown>>>

/** What `process` keeps and gives. */
export interface ProcessOptions<S extends Stores, T extends TimerKeys> {
  /** `keyValueStore(…)`, `windowStore(…)`, by the names that the functions know them by. */
  readonly stores?: S
  /** The kinds of timers that are used, each with the serde of the keys they are set for. */
  readonly timers?: T
}

type Send<K, V> = (key: K, value: V, options?: ForwardOptions) => void

/** The context of a `process` with one output. */
export interface ForwardingContext<S, T, K, V> extends ProcessContext<S, T> {
  /** Hands a record on, with the timestamp and headers of the record in work (of a timer: its time, no headers). */
  readonly forward: Send<K, V>
}

/** The context of a `process` with several outputs. */
export interface BranchingContext<S, T, O> extends ProcessContext<S, T> {
  /** One function per output, as `forward`. */
  readonly outputs: { readonly [N in keyof O]: O[N] extends OutputDefinition<infer K, infer V> ? Send<K, V> : never }
}

export type StreamsOf<O> = {
  readonly [N in keyof O]: O[N] extends OutputDefinition<infer K, infer V> ? Stream<K, V> : never
}

/**
 * The processor API: your own operator, with named stores, timers and any number of outputs. `init` is called once per
 * task and gives the functions that are called per record and per timer.
 *
 * - Outputs: none declared, `context.forward` hands on records of the stream's own type; `output: output<K, V>()` of
 *   another; `outputs: { a: output<K, V>(), … }` makes `context.outputs.a(key, value)`, and a record of streams.
 * - Stores: changelogged, named by themselves; one constant given to two operators is shared, and they run in one task.
 *   The stream is not repartitioned for them, as in
 * - Timers survive a restart: they are in the changelogs `<application>-<name>-event-timers-changelog` and
 *   `…-wall-clock-timers-changelog`. They fire in the order of time, name and key; those of event time before the record
 *   that brings stream time to theirs (Kafka Streams and Flink: after it), so that what happens happens in the order of
 *   time. One set for a time that has passed fires when the function that set it returns.
 * - Order stays: per record, what is forwarded first goes first. Records may have null keys or values if their serdes
 *   are `nullable`; none is dropped for being late.
 * - A function that throws for a record is dealt with by `errors.failing`; what it had put into stores before stays. A
 *   timer that throws stops the application (`TIMER_FAILED`).
 * - What wall-clock timers forward is there exactly once on a topic. An append sink behind them is refused, since a
 *   replay fires them at other moments: write to a topic first.
 *
 * @ordering Stays: what is forwarded first goes first. Timers fire in the order of time, name and key.
 * @state The stores, in changelogs of their own names, until what is in them is deleted or expires; timers, until they
 * fire, in `<application>-<name>-event-timers-changelog` and `…-wall-clock-timers-changelog`.
 * @nulls Reach the function only where the serdes that the stream is read with are `nullable`; then as any other.
 * @late None is dropped for being late: the function decides. An event-time timer for a time that has passed fires at
 * once.
 * @kafkaStreams `KStream#process`, `Processor`, `Punctuator`. Flink: `KeyedProcessFunction`.
 *
 * @marble
 * ```ts
 * numbers.pipe(
 *   process('quiet', { timers: { eventTime: string() }, output: output<string, string>() }, ({ timers, forward }) => ({
 *     process(_, key, { timestamp }) {
 *       timers.eventTime.set(key, timestamp + 10)
 *     },
 *     onEventTime: ({ key }) => forward(key, 'quiet'),
 *   })),
 * )
 * ```
 * ```marbles
 * numbers | a=1@1 | a=1@5 | b=1@12 | b=1@20
 * out     |       |       |        | a=quiet@15
 * ```
 *
 * @example
 * ```ts
 * const pending = keyValueStore('pending-orders', { key: string(), value: json<Order>() })
 * const { paid, expired } = orders.pipe(
 *   process(
 *     'payment-timeout',
 *     {
 *       stores: { pending },
 *       timers: { eventTime: string() },
 *       outputs: { paid: output<string, Order>(), expired: output<string, Order>() },
 *     },
 *     ({ stores, timers, outputs }) => ({
 *       process(order, id, { timestamp }) {
 *         if (order.paid) {
 *           timers.eventTime.cancel(id)
 *           stores.pending.delete(id)
 *           outputs.paid(id, order)
 *         } else {
 *           stores.pending.put(id, order)
 *           timers.eventTime.set(id, timestamp + minutes(15))
 *         }
 *       },
 *       onEventTime({ key: id }) {
 *         const order = stores.pending.delete(id)
 *         if (order) outputs.expired(id, order)
 *       },
 *     }),
 *   ),
 * )
 * ```
 */
export function process<K, V, O extends Outputs, S extends Stores = None, T extends TimerKeys = None>(
  name: string,
  options: ProcessOptions<S, T> & { readonly outputs: O },
  init: (context: BranchingContext<S, T, O>) => ProcessHandlers<K, V, T>,
): (stream: Stream<K, V>) => StreamsOf<O>
export function process<K, V, K2, V2, S extends Stores = None, T extends TimerKeys = None>(
  name: string,
  options: ProcessOptions<S, T> & { readonly output: OutputDefinition<K2, V2> },
  init: (context: ForwardingContext<S, T, K2, V2>) => ProcessHandlers<K, V, T>,
): (stream: Stream<K, V>) => Stream<K2, V2>
export function process<K, V, S extends Stores = None, T extends TimerKeys = None>(
  name: string,
  options: ProcessOptions<S, T>,
  init: (context: ForwardingContext<S, T, K, V>) => ProcessHandlers<K, V, T>,
): (stream: Stream<K, V>) => Stream<K, V>
export function process<S extends Stores, T extends TimerKeys>(
  name: string,
  options: ProcessOptions<S, T> & {
    readonly output?: OutputDefinition<unknown, unknown>
    readonly outputs?: Outputs
  },
  init: (context: never) => ProcessHandlers<never, never, T>,
): (stream: Stream<unknown, unknown>) => unknown {
  const { stores, timers, output, outputs } = options
  return ({ input, serdes }) => {
    const made = processing<S, T>({
      kind: 'process',
      name,
      input,
      stores,
      timers,
      outputs: Object.keys(outputs ?? {}),
      build: (context, forward) => {
        const ways = outputs
          ? { outputs: Object.fromEntries(Object.keys(outputs).map((of) => [of, forward(of)])) }
          : { forward: forward() }
        return init(extended(context, ways) as never)
      },
    })
    const streamOf = (serdesOf: object, from: string) => new Stream(out(made, from), serdesOf, true)
    if (outputs) return Object.fromEntries(Object.entries(outputs).map(([of, given]) => [of, streamOf(given, of)]))
    return streamOf(output ?? serdes, 'out')
  }
}

/** The context with more in it; its getters stay getters. */
export function extended<A extends object, B extends object>(context: A, more: B): A & B {
  return Object.defineProperties({ ...more }, Object.getOwnPropertyDescriptors(context)) as A & B
}
