import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import type { JoinWindows } from '../windows/join-windows.ts'
import { type JoinOperands, joinOf } from './joins/dispatch.ts'
import type { JoinStreamsOptions } from './joins/join-streams.ts'
import type { TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins as `join` does, and gives what is on either side and finds no partner, with null in its place.
 *
 * **Two streams**: when they come out, what happens to null keys, and the state: as `leftJoin`, for both sides.
 *
 * **Two tables**: a row comes out for each key of either side.
 *
 * @ordering As `leftJoin`.
 * @state As `leftJoin`, for both sides.
 * @nulls As `leftJoin`, for both sides.
 * @late As `leftJoin`, for both sides.
 * @kafkaStreams `KStream#outerJoin`, `KTable#outerJoin`.
 *
 * @marble
 * ```ts
 * numbers.pipe(outerJoin('pairs', others, (a, b) => ({ a, b }), within(5)))
 * ```
 * ```marbles
 * numbers | a=1@1 |        | c=0@12
 * others  |       | b=10@3 |
 * out     |       |        | a={a:1,b:-}@1 b={a:-,b:10}@3
 * ```
 *
 * @example
 * ```ts
 * sent.pipe(outerJoin('seen', received, (a, b) => ({ sent: a !== null, received: b !== null }), within(minutes(1))))
 * planned.pipe(outerJoin('deviations', actual, (plan, done) => (done ?? 0) - (plan ?? 0)))
 * ```
 */
export function outerJoin<K, V, W, R>(
  name: string,
  other: Stream<K, W>,
  joiner: (left: NoInfer<V> | null, right: NoInfer<W> | null, key: NoInfer<K>) => R,
  windows: JoinWindows,
  options?: JoinStreamsOptions<K, V, W>,
): (stream: Stream<K, V>) => Stream<K, R, Stream<K, V | W>>
export function outerJoin<K, V, W, R>(
  name: string,
  other: Table<K, W>,
  joiner: (left: V | null, right: W | null, key: K) => R | null,
  options?: TableJoinOptions<K, R>,
): (table: Table<K, V>) => Table<K, R>
export function outerJoin(...operands: JoinOperands): unknown {
  return joinOf('outerJoin', operands)
}
