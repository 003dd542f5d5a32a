import { beforeAll } from 'vitest'
import { schemaRegistry } from '../../src/serde/avro/registry/http.ts'
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
