import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Log, SchemaRegistry } from 'millrace'
import { directoryRegistry, schemaRegistry } from 'millrace/avro'
import { embeddedClickHouse } from 'millrace/clickhouse'
import { embedded } from 'millrace/embedded'
import { kafka } from 'millrace/kafka'
import type { LakeTarget } from 'millrace/lake'
import { addressesFrom, withoutSecrets } from './addresses.ts'

/** The sinks that an example writes to, beside topics. */
export type SinkKind = 'clickhouse' | 'lake'

/** What an example runs on: real parts where the environment names them, embedded ones otherwise. */
export interface Parts {
  /** Of the application: its topics, tables and part of the lake begin with it. */
  readonly name: string
  /** A connection of its own at each call. */
  log(): Log
  readonly registry: SchemaRegistry
  /** '' where there is none. */
  readonly clickhouseUrl: string
  readonly lake: LakeTarget
  /** Each in one line. */
  readonly described: readonly string[]
  close(): Promise<void>
}

/** Opens the parts. Where none is a real one, what an earlier run has left is deleted: every run begins anew. */
export async function openParts(
  env: NodeJS.ProcessEnv,
  { name, data, sinks }: { readonly name: string; readonly data?: string; readonly sinks: readonly SinkKind[] },
): Promise<Parts> {
  const { kafkaBrokers, registryUrl, clickhouseUrl, s3Endpoint, s3Bucket } = addressesFrom(env)
  const real = [kafkaBrokers, registryUrl, clickhouseUrl, s3Endpoint].some((address) => address !== undefined)
  const directory = data ?? join('data', ...(real ? ['real'] : []), name)
  const kept = (part: string) => join(directory, part)
  if (!real) {
    for (const part of ['log', 'registry', 'clickhouse', 'lake']) rmSync(kept(part), { recursive: true, force: true })
  }
  const lake: LakeTarget = s3Endpoint ? `s3://${s3Bucket}/${name}` : kept('lake')
  const uses = (sink: SinkKind) => sinks.includes(sink)
  const engine =
    uses('clickhouse') && !clickhouseUrl ? await embeddedClickHouse({ path: kept('clickhouse') }) : undefined
  const where = (address: string | undefined, part: string) =>
    address ? withoutSecrets(address) : `embedded, ${kept(part)}`
  return {
    name,
    log: () => (kafkaBrokers ? kafka({ brokers: kafkaBrokers }) : embedded(kept('log'))),
    registry: registryUrl ? schemaRegistry({ url: registryUrl }) : directoryRegistry(kept('registry')),
    clickhouseUrl: clickhouseUrl ?? engine?.url ?? '',
    lake,
    described: [
      `log         ${where(kafkaBrokers && `Kafka at ${kafkaBrokers.join(',')}`, 'log')}`,
      `registry    ${where(registryUrl, 'registry')}`,
      ...(uses('clickhouse') ? [`ClickHouse  ${where(clickhouseUrl, 'clickhouse')}`] : []),
      ...(uses('lake') ? [`lake        ${s3Endpoint ? `${lake} at ${s3Endpoint}` : lake}`] : []),
    ],
    close: async () => engine?.close(),
  }
}
