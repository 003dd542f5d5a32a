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

/** Reads KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT and S3_BUCKET; each alone or together. */
export async function openParts(data: string, name: string): Promise<Parts> {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT, S3_BUCKET = 'millrace' } = process.env
  const engine = CLICKHOUSE_URL ? undefined : await embeddedClickHouse({ path: join(data, 'clickhouse') })
  const clickhouseUrl = CLICKHOUSE_URL ?? engine!.url
  const lakeTarget: LakeTarget = S3_ENDPOINT ? `s3://${S3_BUCKET}/${name}` : join(data, 'lake')
  return {
    log: () => (KAFKA_BROKERS ? kafka({ brokers: KAFKA_BROKERS.split(',') }) : embedded(join(data, 'log'))),
    registry: SCHEMA_REGISTRY_URL
      ? schemaRegistry({ url: SCHEMA_REGISTRY_URL })
      : directoryRegistry(join(data, 'registry')),
    clickhouseUrl,
    lake: lakeTarget,
    sinks: {
      revenue: clickhouse({
        table: 'revenue_per_minute',
        url: clickhouseUrl,
        create: true,
        key: 'category',
        columns: (_key, { orders, revenue }: Revenue) => ({ orders, revenue: Math.round(revenue * 100) / 100 }),
      }),
      transactions: lake({ to: lakeTarget, topic: 'transactions' }) as SinkDefinition<string | null, Payment>,
    },
    described: [
      `log         ${KAFKA_BROKERS ? `Kafka at ${KAFKA_BROKERS}` : `embedded, ${join(data, 'log')}`}`,
      `registry    ${SCHEMA_REGISTRY_URL ?? `embedded, ${join(data, 'registry')}`}`,
      `ClickHouse  ${CLICKHOUSE_URL ?? `embedded, ${join(data, 'clickhouse')}`}`,
      `lake        ${S3_ENDPOINT ? `${lakeTarget} at ${S3_ENDPOINT}` : lakeTarget}`,
    ],
    close: async () => engine?.close(),
  }
}
