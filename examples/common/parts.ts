import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Log, MillraceError, type SchemaRegistry } from 'millrace'
import { directoryRegistry, schemaRegistry } from 'millrace/avro'
import { embeddedClickHouse } from 'millrace/clickhouse'
import { embedded } from 'millrace/embedded'
import { kafka } from 'millrace/kafka'
import type { LakeTarget } from 'millrace/lake'
import { addressesFrom, withoutSecrets } from './addresses.ts'
import { makeDirectory } from './make-directory.ts'

/** The sinks that an example writes to, beside topics. */
export type SinkKind = 'clickhouse' | 'lake'

/** What an example runs on: real parts where the environment names them, embedded ones otherwise. */
export interface Parts {
  /** Of the application: its topics, tables and part of the lake begin with it. */
  readonly name: string
  /** A connection of its own at each call. */
  log(): Log
  readonly registry: SchemaRegistry
  /** Where embedded parts are kept. */
  readonly directory: string
  /** '' in tests that have none. */
  readonly clickhouseUrl: string
  readonly lake: LakeTarget
  /** Each in one line. */
  readonly described: readonly string[]
  close(): Promise<void>
}

/** In a directory that holds this file an example has kept its things, and may delete them. */
const MARKER = '.millrace-example'

export interface PartsOptions {
  readonly name: string
  /** undefined: data/NAME, or data/real/NAME beside real parts. */
  readonly data: string | undefined
  readonly sinks: readonly SinkKind[]
  /** Nothing is opened or deleted: to describe what would run. */
  readonly dry: boolean
}

/** Opens the parts. Where none is a real one, what an earlier run has left is deleted: every run begins anew. */
export async function openParts(env: NodeJS.ProcessEnv, { name, data, sinks, dry }: PartsOptions): Promise<Parts> {
  const { kafkaBrokers, registryUrl, clickhouseUrl, s3Endpoint, s3Bucket } = addressesFrom(env)
  const real = [kafkaBrokers, registryUrl, clickhouseUrl, s3Endpoint].some((address) => address !== undefined)
  const directory = data ?? join('data', ...(real ? ['real'] : []), name)
  const kept = (part: string) => join(directory, part)
  if (!real && !dry) startOver(directory)
  const lake: LakeTarget = s3Endpoint ? `s3://${s3Bucket}/${name}` : kept('lake')
  const uses = (sink: SinkKind) => sinks.includes(sink)
  const engine =
    uses('clickhouse') && !clickhouseUrl && !dry ? await embeddedClickHouse({ path: kept('clickhouse') }) : undefined
  const where = (address: string | undefined, part: string) =>
    address ? withoutSecrets(address) : `embedded, ${kept(part)}`
  return {
    name,
    directory,
    log: () => (kafkaBrokers ? kafka({ brokers: kafkaBrokers }) : embedded(kept('log'))),
    registry: registryUrl ? schemaRegistry({ url: registryUrl }) : directoryRegistry(kept('registry')),
    clickhouseUrl: clickhouseUrl ?? engine?.url ?? 'http://localhost:8123',
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

function startOver(directory: string): void {
  try {
    if (existsSync(join(directory, MARKER))) {
      for (const part of ['log', 'registry', 'clickhouse', 'lake']) {
        rmSync(join(directory, part), { recursive: true, force: true })
      }
    }
    makeDirectory(directory)
    writeFileSync(join(directory, MARKER), '')
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    throw new MillraceError('DATA_DIRECTORY', `the directory ${directory} cannot be used (${code})`, {
      cause,
      hint: 'look at its permissions and whether the disk is full, or choose another: --data DIR',
    })
  }
}
