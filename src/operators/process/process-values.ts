import type { Serde } from '../../serde/serde.ts'
import { out } from '../../topology/node.ts'
import { Stream } from '../../topology/stream.ts'
import type { ForwardOptions, None, ProcessContext, ProcessHandlers, Stores, TimerKeys } from './context.ts'
import { extended, type ProcessOptions } from './process.ts'
import { processing } from './processing.ts'

/** The context of `processValues`. */
export interface ValuesContext<S, T, V> extends ProcessContext<S, T> {
  /** Hands a value on under the key of the record, or of the timer, in work. */
  readonly forward: (value: V, options?: ForwardOptions) => void
}

/**
 * As `process`, but the key cannot be changed, so nothing has to be repartitioned behind it. Timers are set for keys of
 * the stream, and what they forward has the timer's key.
 *
 * The value's serde names the type that comes out; without it, that is the type that goes in.
 *
 * @ordering As `process`.
 * @state As `process`.
 * @nulls As `process`.
 * @late As `process`.
 * @kafkaStreams `KStream#processValues`.
 *
 * @marble
 * ```ts
 * numbers.pipe(processValues('doubled', {}, ({ forward }) => ({ process: (n) => forward(n * 2) })))
 * ```
 * ```marbles
 * numbers | a=1@1 | b=2@2
 * out     | a=2@1 | b=4@2
 * ```
 *
 * @example
 * ```ts
 * const last = keyValueStore('last-reading', { key: string(), value: double() })
 * const changes = readings.pipe(
 *   processValues('changes', { stores: { last }, value: double() }, ({ stores, forward }) => ({
 *     process(celsius, sensor) {
 *       forward(celsius - (stores.last.get(sensor) ?? celsius))
 *       stores.last.put(sensor, celsius)
 *     },
 *   })),
 * )
 * ```
 */
export function processValues<K, V, V2, S extends Stores = None, T extends TimerKeys = None>(
  name: string,
  options: ProcessOptions<S, T> & { readonly value: Serde<V2> },
  init: (context: ValuesContext<S, T, V2>) => ProcessHandlers<K, V, T>,
): (stream: Stream<K, V>) => Stream<K, V2>
export function processValues<K, V, S extends Stores = None, T extends TimerKeys = None>(
  name: string,
  options: ProcessOptions<S, T>,
  init: (context: ValuesContext<S, T, V>) => ProcessHandlers<K, V, T>,
): (stream: Stream<K, V>) => Stream<K, V>
export function processValues<K, V, V2, S extends Stores, T extends TimerKeys>(
  name: string,
  { stores, timers, value }: ProcessOptions<S, T> & { readonly value?: Serde<V2> },
  init: (context: ValuesContext<S, T, V2>) => ProcessHandlers<K, V, T>,
): (stream: Stream<K, V>) => Stream<K, V2> {
  return ({ input, serdes, rekeyed }) => {
    const made = processing<S, T>({
      kind: 'processValues',
      name,
      input,
      stores,
      timers,
      outputs: [],
      build: (context, forward, work) => {
        const next = forward()
        return init(
          extended(context, { forward: (of: V2, options?: ForwardOptions) => next(work.key, of, options) }),
        ) as ProcessHandlers<never, never, T>
      },
    })
    return new Stream(out(made), { key: serdes.key, value: value ?? serdes.value }, rekeyed)
  }
}
