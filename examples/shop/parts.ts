import { join } from 'node:path'
import type { Log, SchemaRegistry, SinkDefinition } from 'millrace'
import { directoryRegistry, schemaRegistry } from 'millrace/avro'
import { clickhouse, embeddedClickHouse } from 'millrace/clickhouse'
import { embedded } from 'millrace/embedded'
import { kafka } from 'millrace/kafka'
import { type LakeTarget, lake } from 'millrace/lake'
import { addressesFrom, withoutSecrets } from '../common/addresses.ts'
import type { Transaction } from './generate.ts'
import type { Revenue, ShopSinks } from './job.ts'

/** Which parts there will be; nothing is opened yet. */
export interface ChosenParts {
  readonly kafkaBrokers: readonly string[] | undefined
  readonly registryUrl: string | undefined
  readonly clickhouseUrl: string | undefined
  readonly lake: LakeTarget
  readonly table: string
  /** Each part in one line, for the terminal. */
  readonly described: readonly string[]
  /** What tells one set of parts from another. */
  readonly identity: readonly string[]
}

/** What the job runs on: real parts where the environment names them, embedded ones otherwise. */
export interface Parts {
  /** A connection of its own at each call. */
  log(): Log
  readonly registry: SchemaRegistry
  readonly sinks: ShopSinks
  readonly clickhouseUrl: string
  /** Of the revenue, in ClickHouse. */
  readonly table: string
  readonly lake: LakeTarget
  /** ClickHouse is the one in the data directory. */
  readonly ownData: boolean
  close(): Promise<void>
}

/**
 * Reads KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT and S3_BUCKET; each alone or together. Throws
 * `INVALID_OPTION` for what cannot be an address.
 */
export function partsFrom(env: NodeJS.ProcessEnv, data: string, name: string): ChosenParts {
  const { kafkaBrokers, registryUrl, clickhouseUrl, s3Endpoint, s3Bucket } = addressesFrom(env)
  const brokers = kafkaBrokers?.join(',')
  const lake: LakeTarget = s3Endpoint ? `s3://${s3Bucket}/${name}` : join(data, 'lake')
  const real = (what: string, address: string | undefined) =>
    `${what} ${address ? withoutSecrets(address) : 'embedded'}`
  return {
    kafkaBrokers,
    registryUrl,
    clickhouseUrl,
    lake,
    table: name === 'shop' ? 'revenue_per_minute' : `${name.replace(/[.-]/g, '_')}_revenue_per_minute`,
    described: [
      `log         ${brokers ? `Kafka at ${brokers}` : `embedded, ${join(data, 'log')}`}`,
      `registry    ${registryUrl ? withoutSecrets(registryUrl) : `embedded, ${join(data, 'registry')}`}`,
      `ClickHouse  ${clickhouseUrl ? withoutSecrets(clickhouseUrl) : `embedded, ${join(data, 'clickhouse')}`}`,
      `lake        ${s3Endpoint ? `${lake} at ${s3Endpoint}` : lake}`,
    ],
    identity: [
      `name ${name}`,
      real('log', brokers),
      real('ClickHouse', clickhouseUrl),
      real('lake', s3Endpoint && `${lake} at ${s3Endpoint}`),
    ],
  }
}

/** The sinks of the job: data, nothing is opened. */
export function shopSinks({
  clickhouseUrl: url,
  table,
  lake: to,
}: Pick<ChosenParts, 'clickhouseUrl' | 'table' | 'lake'>): ShopSinks {
  return {
    revenue: clickhouse({
      table,
      url,
      create: true,
      key: 'category',
      columns: (_key, { orders, revenue }: Revenue) => ({ orders, revenue: Math.round(revenue * 100) / 100 }),
    }),
    transactions: lake({ to, topic: 'transactions' }) as SinkDefinition<string | null, Transaction>,
  }
}

export async function openParts(chosen: ChosenParts, data: string): Promise<Parts> {
  const { kafkaBrokers, registryUrl, table, lake: to } = chosen
  const registry = registryUrl ? schemaRegistry({ url: registryUrl }) : directoryRegistry(join(data, 'registry'))
  const engine = chosen.clickhouseUrl ? undefined : await embeddedClickHouse({ path: join(data, 'clickhouse') })
  const clickhouseUrl = chosen.clickhouseUrl ?? engine!.url
  return {
    log: () => (kafkaBrokers ? kafka({ brokers: kafkaBrokers }) : embedded(join(data, 'log'))),
    registry,
    clickhouseUrl,
    table,
    lake: to,
    ownData: engine !== undefined,
    sinks: shopSinks({ clickhouseUrl, table, lake: to }),
    close: async () => engine?.close(),
  }
}
