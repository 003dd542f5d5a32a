import { join } from 'node:path'
import type { Log, SchemaRegistry, SinkDefinition } from 'millrace'
import { directoryRegistry, schemaRegistry } from 'millrace/avro'
import { clickhouse, embeddedClickHouse } from 'millrace/clickhouse'
import { embedded } from 'millrace/embedded'
import { kafka } from 'millrace/kafka'
import { type LakeTarget, lake } from 'millrace/lake'
import type { Payment, Revenue, ShopSinks } from './job.ts'

/** What the job runs on: real parts where the environment names them, embedded ones otherwise. */
export interface Parts {
  /** A connection of its own at each call. */
  log(): Log
  readonly registry: SchemaRegistry
  readonly sinks: ShopSinks
  readonly clickhouseUrl: string
  readonly lake: LakeTarget
  /** Each part in one line, for the terminal. */
  readonly described: readonly string[]
  close(): Promise<void>
}

/** Where ClickHouse and the lake are. Without a URL, ClickHouse is embedded. */
interface Places {
  readonly clickhouseUrl: string | undefined
  readonly lake: LakeTarget
}

/** Reads CLICKHOUSE_URL, S3_ENDPOINT and S3_BUCKET. */
export function placesOf(data: string, name: string): Places {
  const { CLICKHOUSE_URL, S3_ENDPOINT, S3_BUCKET = 'millrace' } = process.env
  return { clickhouseUrl: CLICKHOUSE_URL, lake: S3_ENDPOINT ? `s3://${S3_BUCKET}/${name}` : join(data, 'lake') }
}

/** The sinks of the job: data, nothing is opened. */
export function shopSinks({ clickhouseUrl, lake: to }: Places): ShopSinks {
  return {
    revenue: clickhouse({
      table: 'revenue_per_minute',
      url: clickhouseUrl,
      create: true,
      key: 'category',
      columns: (_key, { orders, revenue }: Revenue) => ({ orders, revenue: Math.round(revenue * 100) / 100 }),
    }),
    transactions: lake({ to, topic: 'transactions' }) as SinkDefinition<string | null, Payment>,
  }
}

/** Reads KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT and S3_BUCKET; each alone or together. */
export async function openParts(data: string, name: string): Promise<Parts> {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT } = process.env
  const places = placesOf(data, name)
  const engine = CLICKHOUSE_URL ? undefined : await embeddedClickHouse({ path: join(data, 'clickhouse') })
  const clickhouseUrl = CLICKHOUSE_URL ?? engine!.url
  return {
    log: () => (KAFKA_BROKERS ? kafka({ brokers: KAFKA_BROKERS.split(',') }) : embedded(join(data, 'log'))),
    registry: SCHEMA_REGISTRY_URL
      ? schemaRegistry({ url: SCHEMA_REGISTRY_URL })
      : directoryRegistry(join(data, 'registry')),
    clickhouseUrl,
    lake: places.lake,
    sinks: shopSinks({ ...places, clickhouseUrl }),
    described: [
      `log         ${KAFKA_BROKERS ? `Kafka at ${KAFKA_BROKERS}` : `embedded, ${join(data, 'log')}`}`,
      `registry    ${SCHEMA_REGISTRY_URL ?? `embedded, ${join(data, 'registry')}`}`,
      `ClickHouse  ${CLICKHOUSE_URL ?? `embedded, ${join(data, 'clickhouse')}`}`,
      `lake        ${S3_ENDPOINT ? `${places.lake} at ${S3_ENDPOINT}` : places.lake}`,
    ],
    close: async () => engine?.close(),
  }
}
