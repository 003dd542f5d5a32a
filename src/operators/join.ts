import type { GlobalTable } from '../topology/global-table.ts'
import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import type { JoinWindows } from '../windows/join-windows.ts'
import { type GlobalJoinOperands, type JoinOperands, joinOf } from './joins/dispatch.ts'
import type { JoinStreamsOptions } from './joins/join-streams.ts'
import type { JoinTableOptions } from './joins/join-table.ts'
import type { TableJoinOptions } from './joins/table-table.ts'
import type { Like, Rows } from './rows.ts'

/**
 * Joins two streams, a stream with a table, or two tables, by key.
 *
 * **Two streams**: records of one key that are near each other in time. Each pair gives one result, with the later of
 * the two timestamps, whichever came first; duplicates are joined each. A side whose key was changed goes through
 * `<application>-<name>-left-repartition` (`-right-`). State: the records of both sides for before + after + grace ms of
 * stream time, in `<application>-<name>-left-changelog` (`-right-`). A record too old to be kept is joined with what is
 * there, counted as late, and had with `late()` and `lateTo`. Null keys and null values are dropped and counted. A stream
 * joined with itself is kept once; each record also meets itself.
 *
 * **A stream with a table**: each record of the stream with the row its key has at that moment; a change of the table gives
 * nothing. With a versioned table, with the row as of the record's timestamp; `grace` lets a record wait, in
 * `<application>-<name>-changelog`, for rows that come out of order, and gives them in the order (timestamp, key, arrival).
 * The result has the record's timestamp. A record without a row gives nothing; null keys and values are dropped and
 * counted. Keeps no other state. Kafka Streams: `KStream#join` with a `KTable`.
 *
 * **A stream with a global table**: `join(table, keyOf, joiner)`: each record with the row of the key that `keyOf` gives, as it is
 * at that moment. The stream's own key stays. A null value, and a null from `keyOf`, is dropped and counted. Keeps no state of its own. Kafka Streams: `KStream#join` with a
 * `GlobalKTable`.
 *
 * **Two tables**: a row comes out where both have one. A change on either side works the row out anew; when a side goes
 * away the result is deleted. Rows apply in order of arrival, whatever their timestamps; a result, a deletion too, has
 * the higher timestamp of both sides. A joiner that returns null gives no row. State: one entry per result, with the
 * changelog `<application>-<name>-changelog`.
 *
 * Both topics must have the same number of partitions (checked at the start).
 *
 * @ordering Pairs of streams come in the order of the other record's time, then arrival; results of tables as their
 * rows change.
 * @state Two streams: the records of both sides for before + after + grace ms of stream time, in
 * `<application>-<name>-left-changelog` (`-right-`). Two tables: one entry per result, in
 * `<application>-<name>-changelog`.
 * @nulls Null keys and null values of streams are dropped and counted. In tables a null value deletes the result.
 * @late A record too old to be kept is joined with what is there, counted as late, and had with `late()` and `lateTo`. In
 * tables nothing is late.
 * @kafkaStreams `KStream#join`, `KTable#join`.
 *
 * @marble
 * ```ts
 * numbers.pipe(join('pairs', others, (a, b) => a + b, within(5)))
 * ```
 * ```marbles
 * numbers | a=1@10 |         |         | a=2@17
 * others  |        | a=10@5  | a=20@15 |
 * out     |        | a=11@10 | a=21@15 | a=22@17
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(join('paid', payments, (order, payment) => ({ ...order, paid: payment.amount }), within(minutes(5))))
 * payments.pipe(join('payers', users, (payment, user) => ({ ...payment, country: user.country })))   // Stream<string, …>
 * users.pipe(join('profiles', addresses, (user, address) => ({ ...user, ...address })))   // Table<string, …>
 * ```
 */
export function join<K, V, W, R>(
  name: string,
  other: Stream<K, W>,
  joiner: (left: NonNullable<NoInfer<V>>, right: NonNullable<NoInfer<W>>, key: NoInfer<K>) => R,
  windows: JoinWindows,
  options?: JoinStreamsOptions<K, V, W>,
): (stream: Stream<K, V>) => Stream<K, R, Stream<K, V | W>>
export function join<K, V, W, R, In extends Rows<K | null, V> = Stream<K, V>>(
  name: string,
  other: Table<K, W>,
  joiner: (left: NonNullable<NoInfer<V>>, right: W, key: NoInfer<K>) => R,
  options?: In extends Table<unknown, unknown> ? TableJoinOptions<K, R> : JoinTableOptions<K, V>,
): (input: In & Rows<K | null, V>) => Like<In, K, In extends Table<unknown, unknown> ? Exclude<R, null> : R>
export function join<K, V, F, W, R>(
  other: GlobalTable<F, W>,
  keyOf: (value: NonNullable<NoInfer<V>>, key: NoInfer<K>) => NoInfer<F> | null,
  joiner: (left: NonNullable<NoInfer<V>>, right: W, key: NoInfer<K>) => R,
): (stream: Stream<K, V>) => Stream<K, R>
export function join(...operands: JoinOperands | GlobalJoinOperands): unknown {
  return joinOf('join', operands)
}
