import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import type { JoinWindows } from '../windows/join-windows.ts'
import { type AnyJoiner, joinOf } from './joins/dispatch.ts'
import type { JoinStreamsOptions } from './joins/join-streams.ts'
import type { TableJoinOptions } from './joins/table-table.ts'

/**
 * Joins two streams, or two tables, by key.
 *
 * **Two streams**: records of one key that are near each other in time. Each pair gives one result, with the later of
 * the two timestamps, whichever came first; duplicates are joined each. A side whose key was changed goes through
 * `<application>-<name>-left-repartition` (`-right-`). State: the records of both sides for before + after + grace ms of
 * stream time, in `<application>-<name>-left-changelog` (`-right-`). A record too old to be kept is joined with what is
 * there, counted as late, and on the side output `late`. Null keys and null values are dropped and counted. A stream
 * joined with itself is kept once; each record also meets itself. Kafka Streams: `KStream#join`.
 *
 * **Two tables**: a row comes out where both have one. A change on either side works the row out anew; when a side goes
 * away the result is deleted. Rows apply in order of arrival, whatever their timestamps; a result, a deletion too, has
 * the higher timestamp of both sides. A joiner that returns null gives no row. State: one entry per result, with the
 * changelog `<application>-<name>-changelog`. Kafka Streams: `KTable#join`.
 *
 * Both topics must have the same number of partitions (checked at the start).
 *
 * @example
 * ```ts
 * orders.pipe(join('paid', payments, (order, payment) => ({ ...order, paid: payment.amount }), within(minutes(5))))
 * users.pipe(join('profiles', addresses, (user, address) => ({ ...user, ...address })))   // Table<string, …>
 * ```
 */
export function join<K, V, W, R>(
  name: string,
  other: Stream<K, W>,
  joiner: (left: NonNullable<NoInfer<V>>, right: NonNullable<NoInfer<W>>, key: NoInfer<K>) => R,
  windows: JoinWindows,
  options?: JoinStreamsOptions<K, V, W>,
): (stream: Stream<K, V>) => Stream<K, R>
export function join<K, V, W, R>(
  name: string,
  other: Table<K, W>,
  joiner: (left: V, right: W, key: K) => R | null,
  options?: TableJoinOptions<K, R>,
): (table: Table<K, V>) => Table<K, R>
export function join(
  name: string,
  other: Stream<unknown, unknown> | Table<unknown, unknown>,
  joiner: AnyJoiner,
  windows?: JoinWindows | TableJoinOptions<unknown, unknown>,
  options?: JoinStreamsOptions<unknown, unknown, unknown>,
): unknown {
  return joinOf('join', name, other, joiner, windows, options)
}
