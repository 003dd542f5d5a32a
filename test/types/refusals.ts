/**
 * What must not compile, does not: each `@ts-expect-error` is an error of its own where the line compiles after all.
 * Checked by `npm run types`; nothing here runs.
 */
import {
  aggregate,
  count,
  filter,
  groupBy,
  groupByKey,
  join,
  json,
  late,
  leftJoin,
  long,
  map,
  mapValues,
  merge,
  minutes,
  reduce,
  type SinkDefinition,
  type Stream,
  selectKey,
  split,
  stream,
  string,
  sum,
  table,
  to,
  topology,
  toStream,
  toTable,
  tumbling,
  untilWindowCloses,
  type Windowed,
  windowed,
  windowedBy,
  within,
} from 'millrace'
import { clickhouse } from 'millrace/clickhouse'

interface Payment {
  readonly category: string
  readonly amount: number
}

const payments = stream('payments', { key: string(), value: json<Payment>() })
const numbered = stream('numbered', { key: long(), value: json<Payment>() })
const users = table('users', { key: string(), value: json<{ name: string }>(), store: 'users' })
const byNumber = table('by-number', { key: long(), value: json<{ name: string }>(), store: 'by-number' })
const grouped = payments.pipe(groupByKey())
const perKey = payments.pipe(groupByKey(), count('per-key'))
const perMinute = payments.pipe(groupByKey(), windowedBy(tumbling(minutes(1))), count('per-minute'))

declare const sinkOfPayments: SinkDefinition<string, Payment>
declare const sinkOfOthers: SinkDefinition<string, { readonly other: string }>
declare const sinkOfNumbers: SinkDefinition<number, Payment>

// Sinks.
payments.pipe(to(sinkOfPayments))
// @ts-expect-error a sink of other values
payments.pipe(to(sinkOfOthers))
// @ts-expect-error a sink of other keys
payments.pipe(to(sinkOfNumbers))
// @ts-expect-error a sink of windowed keys is none of plain ones
perKey.pipe(toStream(), to(clickhouse<Windowed<string>, number>({ table: 'x' })))

// Serdes of `to`.
payments.pipe(to('out', { key: string(), value: json<Payment>() }))
// @ts-expect-error the key's serde writes numbers
payments.pipe(to('out', { key: long(), value: json<Payment>() }))
// @ts-expect-error the value's serde writes texts
payments.pipe(to('out', { key: string(), value: string() }))
// @ts-expect-error windowed keys need a windowed serde
perMinute.pipe(toStream(), to('out', { key: string(), value: json<number>() }))
// @ts-expect-error plain keys are not windowed
perKey.pipe(toStream(), to('out', { key: windowed(string()), value: json<number>() }))
// @ts-expect-error a topic needs serdes
payments.pipe(to('out'))

// Windows and aggregations.
// @ts-expect-error windows are of groups
payments.pipe(windowedBy(tumbling(minutes(1))))
// @ts-expect-error a group has one kind of windows
payments.pipe(groupByKey(), windowedBy(tumbling(1)), windowedBy(tumbling(2)))
// @ts-expect-error what is counted is grouped
payments.pipe(count('n'))
// @ts-expect-error sums are of numbers
payments.pipe(groupByKey(), aggregate('a', { total: sum((payment) => payment.category) }))
// @ts-expect-error there is no such field
payments.pipe(groupByKey(), aggregate('a', { total: sum((payment) => payment.price) }))
// @ts-expect-error a reducer gives the type it takes
grouped.pipe(reduce('r', (a) => a.amount))

// Final results and late records.
perMinute.pipe(untilWindowCloses())
perMinute.pipe(late()) satisfies Stream<string, Payment>
// @ts-expect-error only windows close
perKey.pipe(untilWindowCloses())
// @ts-expect-error a stream has no windows that close
payments.pipe(untilWindowCloses())
// @ts-expect-error nothing is late for a table that is read
users.pipe(late())

// Changes of key.
payments.pipe(groupBy((payment) => payment.amount, { key: long() }))
// @ts-expect-error a key that is no text needs its serde
payments.pipe(groupBy((payment) => payment.amount))
// @ts-expect-error the serde is of another type
payments.pipe(groupBy((payment) => payment.amount, { key: string() }))
// @ts-expect-error a key that is no text needs its serde
payments.pipe(selectKey((payment) => payment.amount))
// @ts-expect-error `map` gives pairs
payments.pipe(map((payment) => payment.amount))

// Joins.
payments.pipe(join('j', users, (payment, user) => ({ ...payment, ...user })))
// @ts-expect-error keys are of different types
payments.pipe(join('j', numbered, (a, b) => [a, b], within(5)))
// @ts-expect-error keys are of different types
payments.pipe(leftJoin('j', byNumber, (a, b) => [a, b]))
// @ts-expect-error keys are of different types
users.pipe(join('j', byNumber, (a, b) => [a, b]))
// @ts-expect-error two streams are joined in a window
payments.pipe(join('j', payments, (a, b) => [a, b]))
// @ts-expect-error in a left join the right side may be missing
payments.pipe(leftJoin('j', users, (_, user) => user.name))

// Streams and tables.
// @ts-expect-error a table is not a stream
users.pipe(groupByKey())
// @ts-expect-error a stream is a table only by `toTable`
payments.pipe(toStream())
// @ts-expect-error merged streams have keys of one type
payments.pipe(merge(numbered))
// @ts-expect-error a table has a store, which has a name
payments.pipe(toTable())
// @ts-expect-error a state has a name
grouped.pipe(reduce((a) => a))
// @ts-expect-error the test gives a boolean
payments.pipe(filter((payment) => payment.category))
// @ts-expect-error there is no such field
payments.pipe(mapValues((payment) => payment.price))
// @ts-expect-error there is no such branch
payments.pipe(split({ large: (payment) => payment.amount > 10 })).small

// Topologies.
// @ts-expect-error a topology is made of outputs
topology('app', [payments])
// @ts-expect-error values of a topic are read with a serde
stream('payments', { key: string() })
