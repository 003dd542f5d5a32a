import type { GlobalTable } from '../topology/global-table.ts'
import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'
import type { JoinWindows } from '../windows/join-windows.ts'
import { type GlobalJoinOperands, type JoinOperands, joinOf } from './joins/dispatch.ts'
import type { JoinStreamsOptions } from './joins/join-streams.ts'
import type { JoinTableOptions } from './joins/join-table.ts'
import type { TableJoinOptions } from './joins/table-table.ts'
import type { KeyOf, Like, Rows } from './rows.ts'

/**
 * Joins as `join` does, and gives what is on the left and finds no partner, with null in its place.
 *
 * **Two streams**: a record without a partner comes out, with its own timestamp, once stream time has passed the window
 * and the grace; one whose window is already over comes out at once (a late partner may then still be joined). Behind a
 * repartition it waits until no partner can come in time from any upstream task. A null key on the left is joined with
 * null at once. State: as `join`, and what waits, in `<application>-<name>-left-unmatched-changelog`. Kafka Streams:
 * `KStream#leftJoin`.
 *
 * **A stream with a table**: each record of the stream comes out, one with a null key at once, too.
 *
 * **A stream with a global table**: `leftJoin(table, keyOf, joiner)`; a null from `keyOf` is joined with null.
 *
 * **Two tables**: a row comes out for each of the left.
 *
 * @ordering As `join`; what found no partner comes out before the matches of the record that moves time past its
 * window.
 * @state As `join`, and what waits, in `<application>-<name>-left-unmatched-changelog`.
 * @nulls As `join`, but a null key on the left is joined with null at once.
 * @late As `join`; a record whose window is over comes out at once.
 * @kafkaStreams `KStream#leftJoin` with a `KStream`, `KTable` or `GlobalKTable`, `KTable#leftJoin`.
 *
 * @marble
 * ```ts
 * numbers.pipe(leftJoin('pairs', others, (a, b) => ({ a, b }), within(5)))
 * ```
 * ```marbles
 * numbers | a=1@1 |                | b=2@6 |
 * others  |       | a=10@3         |       | c=0@12
 * out     |       | a={a:1,b:10}@3 |       | b={a:2,b:-}@6
 * ```
 *
 * @example
 * ```ts
 * orders.pipe(leftJoin('paid', payments, (order, payment) => ({ ...order, paid: payment !== null }), within(minutes(5))))
 * payments.pipe(leftJoin('payers', users, (payment, user) => ({ ...payment, country: user?.country ?? 'unknown' })))
 * users.pipe(leftJoin('profiles', addresses, (user, address) => ({ ...user, city: address?.city })))
 * ```
 */
export function leftJoin<K, V, W, R>(
  name: string,
  other: Stream<K, W>,
  joiner: (left: NonNullable<NoInfer<V>>, right: NoInfer<W> | null, key: NoInfer<K>) => R,
  windows: JoinWindows,
  options?: JoinStreamsOptions<K, V, W>,
): (stream: Stream<K, V>) => Stream<K, R, Stream<K, V | W>>
export function leftJoin<K, V, W, R, In extends Rows<K | null, V> = Stream<K, V>>(
  name: string,
  other: Table<K, W>,
  joiner: (left: NonNullable<NoInfer<V>>, right: W | null, key: KeyOf<In>) => R,
  options?: In extends Table<unknown, unknown> ? TableJoinOptions<K, R> : JoinTableOptions<K, V>,
): (input: In & Rows<K | null, V>) => Like<In, KeyOf<In>, In extends Table<unknown, unknown> ? Exclude<R, null> : R>
export function leftJoin<K, V, F, W, R>(
  other: GlobalTable<F, W>,
  keyOf: (value: NonNullable<NoInfer<V>>, key: NoInfer<K>) => NoInfer<F> | null,
  joiner: (left: NonNullable<NoInfer<V>>, right: W | null, key: NoInfer<K>) => R,
): (stream: Stream<K, V>) => Stream<K, R>
export function leftJoin(...operands: JoinOperands | GlobalJoinOperands): unknown {
  return joinOf('leftJoin', operands)
}
