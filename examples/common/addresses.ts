import { MillraceError } from 'millrace'

/** What the environment names of real parts; undefined: the embedded one. */
export interface Addresses {
  readonly kafkaBrokers: readonly string[] | undefined
  readonly registryUrl: string | undefined
  readonly clickhouseUrl: string | undefined
  readonly s3Endpoint: string | undefined
  readonly s3Bucket: string
}

/** The variables that put a real part in place of an embedded one. */
export const REAL_PARTS = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'CLICKHOUSE_URL', 'S3_ENDPOINT'] as const

/**
 * Reads KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT and S3_BUCKET; each alone or together. Throws
 * `INVALID_OPTION` for what cannot be an address.
 */
export function addressesFrom(env: NodeJS.ProcessEnv): Addresses {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, CLICKHOUSE_URL, S3_ENDPOINT, S3_BUCKET = 'millrace' } = env
  const brokers = KAFKA_BROKERS?.split(',').map((broker) => broker.trim())
  for (const broker of brokers ?? []) {
    if (!/^[^\s:/]+:\d+$|^\[.+\]:\d+$/.test(broker)) throw wrong('KAFKA_BROKERS', KAFKA_BROKERS!, 'localhost:9092')
  }
  for (const [variable, url, example] of [
    ['SCHEMA_REGISTRY_URL', SCHEMA_REGISTRY_URL, 'http://localhost:8081'],
    ['CLICKHOUSE_URL', CLICKHOUSE_URL, 'http://localhost:8123'],
    ['S3_ENDPOINT', S3_ENDPOINT, 'http://localhost:9000'],
  ] as const) {
    if (url && !/^https?:\/\/[^/]/.test(url)) throw wrong(variable, url, example)
  }
  return {
    kafkaBrokers: brokers,
    registryUrl: SCHEMA_REGISTRY_URL || undefined,
    clickhouseUrl: CLICKHOUSE_URL || undefined,
    s3Endpoint: S3_ENDPOINT || undefined,
    s3Bucket: S3_BUCKET,
  }
}

export const withoutSecrets = (url: string): string => url.replace(/\/\/[^/@]*@/, '//')

const wrong = (variable: string, value: string, example: string) =>
  new MillraceError('INVALID_OPTION', `the environment variable ${variable} is "${withoutSecrets(value)}"`, {
    hint: `write it like ${variable}=${example}, or unset it to use the embedded part`,
  })
