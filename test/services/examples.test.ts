import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { kafkaBrokers, registryUrl, s3Bucket, uniqueName } from '../support/services.ts'

/** Each example job on the real Kafka, registry and S3 server, checked by itself; and again, when all is done. */
function environment(): NodeJS.ProcessEnv {
  const { endpoint, bucket, region, credentials } = s3Bucket()
  return {
    ...process.env,
    KAFKA_BROKERS: kafkaBrokers().join(','),
    SCHEMA_REGISTRY_URL: registryUrl(),
    S3_ENDPOINT: endpoint,
    S3_BUCKET: bucket,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
}

async function program(example: string, ...argv: string[]) {
  const command = ['-C', 'millrace-source', `examples/${example}/main.ts`, '--records', '3000', ...argv]
  const child = spawn(process.execPath, command, { env: environment() })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

it.each(['fraud', 'sessions', 'trending', 'enrichment', 'quality'])('%s', async (example) => {
  const name = uniqueName(example)
  const data = mkdtempSync(join(tmpdir(), `millrace-${example}-`))
  const first = await program(example, '--name', name, '--data', data)
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).toContain('log         Kafka at ')
  const again = await program(example, '--name', name, '--data', data)
  expect(again).toMatchObject({ code: 0, err: '' })
  const other = await program(example, '--name', name, '--data', data, '--seed', '7')
  expect(other).toMatchObject({ code: 1 })
  expect(other.err).toContain('--name NAME')
})
