import { SchemaRegistry as KafkajsRegistry } from '@kafkajs/confluent-schema-registry'
import { beforeAll, expect, test } from 'vitest'
import { avro } from '../../src/serde/avro/avro.ts'
import { schemaRegistry } from '../../src/serde/avro/registry/http.ts'
import { ByteWriter, byteSource } from '../../src/serde/bytes.ts'
import { registryContract } from '../../src/testing/contracts/registry.ts'

const url = process.env.SCHEMA_REGISTRY_URL
if (!url) throw new Error('SCHEMA_REGISTRY_URL is not set: npm run services -- up registry')

beforeAll(async () => {
  // Confluent's default; Apicurio's is NONE.
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/config`, { method: 'PUT', headers, body: '{"compatibility":"BACKWARD"}' })
  if (!response.ok) throw new Error(`the registry refuses the compatibility level: ${response.status}`)
})

registryContract('a real registry', () => schemaRegistry({ url }))

test('what we write the client of kafkajs reads, and the other way about', async () => {
  const Payment = {
    type: 'record',
    name: 'Payment',
    namespace: 'interop',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'cents', type: 'long' },
    ],
  } as const
  const theirs = new KafkajsRegistry({ host: url })
  const codec = avro(Payment).open({ topic: 'interop-payments', part: 'value', registry: schemaRegistry({ url }) })
  await codec.prepare?.()
  const out = new ByteWriter()
  codec.encode({ id: 'käse', cents: 2 ** 40 }, out)
  expect({ ...(await theirs.decode(Buffer.from(out.bytes()))) }).toEqual({ id: 'käse', cents: 2 ** 40 })

  const id = await theirs.getRegistryIdBySchema('interop-payments-value', JSON.parse(JSON.stringify(Payment)))
  const bytes = await theirs.encode(id, { id: 'x', cents: -1 })
  expect(codec.decode(byteSource(bytes), 0, bytes.length)).toEqual({ id: 'x', cents: -1 })
})
