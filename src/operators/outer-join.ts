import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import type { JoinWindows } from '../windows/join-windows.ts'
import { type AnyJoiner, joinOf } from './joins/dispatch.ts'
import type { JoinStreamsOptions } from './joins/join-streams.ts'
import type { TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins as `join` does, and gives what is on either side and finds no partner, with null in its place.
 *
 * **Two streams**: when they come out, what happens to null keys, and the state: as `leftJoin`, for both sides. Kafka
 * Streams: `KStream#outerJoin`.
 *
 * **Two tables**: a row comes out for each key of either side. Kafka Streams: `KTable#outerJoin`.
 *
 * @example
 * ```ts
 * sent.pipe(outerJoin('seen', received, (a, b) => ({ sent: a !== null, received: b !== null }), within(minutes(1))))
 * plan.pipe(outerJoin('deviations', actual, (planned, actual) => (actual ?? 0) - (planned ?? 0)))
 * ```
 */
export function outerJoin<K, V, W, R>(
  name: string,
  other: Stream<K, W>,
  joiner: (left: NoInfer<V> | null, right: NoInfer<W> | null, key: NoInfer<K>) => R,
  windows: JoinWindows,
  options?: JoinStreamsOptions<K, V, W>,
): (stream: Stream<K, V>) => Stream<K, R>
export function outerJoin<K, V, W, R>(
  name: string,
  other: Table<K, W>,
  joiner: (left: V | null, right: W | null, key: K) => R | null,
  options?: TableJoinOptions<K, R>,
): (table: Table<K, V>) => Table<K, R>
export function outerJoin(
  name: string,
  other: Stream<unknown, unknown> | Table<unknown, unknown>,
  joiner: AnyJoiner,
  windows?: JoinWindows | TableJoinOptions<unknown, unknown>,
  options?: JoinStreamsOptions<unknown, unknown, unknown>,
): unknown {
  return joinOf('outerJoin', name, other, joiner, windows, options)
}
