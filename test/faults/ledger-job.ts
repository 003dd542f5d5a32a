/**
 * The job that is killed at every step: a windowed aggregation behind a repartition topic, to topics and a ClickHouse
 * upsert, and every record to a ClickHouse append and to the lake.
 */
import {
  aggregate,
  count,
  filter,
  groupBy,
  hours,
  json,
  map,
  type SinkDefinition,
  seconds,
  stream,
  string,
  sum,
  type Topology,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  type Windowed,
  windowedBy,
} from '../../src/index.ts'
import { clickhouse } from '../../src/sinks/clickhouse/index.ts'
import { type LakeTarget, lake } from '../../src/sinks/lake/index.ts'

export const WINDOW_MS = 10_000

/** What comes in; `n` of a `round` is written once. */
export interface Posting {
  readonly round: number
  readonly n: number
  readonly account: string
  readonly amount: number
}

/** Of one account and window. */
export interface Total {
  readonly postings: number
  readonly amount: number
}

/** What the job is written to, beside its topics. */
export interface LedgerSinks {
  readonly application: string
  readonly clickhouseUrl: string
  readonly lake: LakeTarget
}

export const ledgerTopics = (application: string) =>
  ({ in: `${application}-in`, totals: `${application}-totals`, finals: `${application}-finals` }) as const

/** Tables of ClickHouse. */
export const ledgerTables = (application: string) => {
  const name = application.replaceAll('-', '_')
  return { totals: `${name}_totals`, postings: `${name}_postings` } as const
}

export function ledger({ application, clickhouseUrl: url, lake: place }: LedgerSinks): Topology {
  const topics = ledgerTopics(application)
  const tables = ledgerTables(application)
  const postings = stream(topics.in, { key: string(), value: json<Posting>() })
  const totals = postings.pipe(
    groupBy(({ account }) => account),
    windowedBy(tumbling(WINDOW_MS, { grace: seconds(10) })),
    // Windows stay, so that all of them can be compared.
    aggregate('totals', { postings: count(), amount: sum(({ amount }) => amount) }, { retention: hours(10_000) }),
  )
  const named = map((total: Total | null, { key, window }: Windowed<string>): [string, Total | null] => [
    `${key}@${window.start}`,
    total,
  ])
  const rows: SinkDefinition<Windowed<string>, Total> = clickhouse({
    url,
    table: tables.totals,
    create: true,
    types: { postings: 'UInt32', amount: 'Int64' },
  })
  const everyPosting: SinkDefinition<string, Posting> = clickhouse({
    url,
    table: tables.postings,
    mode: 'append',
    create: true,
    types: { round: 'UInt32', n: 'UInt32', account: 'String', amount: 'Int64' },
  })
  const text = { key: string(), value: json<Total>() }
  return topology(application, [
    totals.pipe(toStream(), named, to(topics.totals, text)),
    totals.pipe(
      untilWindowCloses(),
      named,
      filter((total) => total !== null),
      to(topics.finals, text),
    ),
    totals.pipe(
      toStream(),
      filter((total) => total !== null),
      to(rows),
    ),
    postings.pipe(to(everyPosting)),
    postings.pipe(to(lake({ to: place }))),
  ])
}
