import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MillraceError } from '../../../../src/errors.ts'
import { schemaRegistry } from '../../../../src/serde/avro/registry/http.ts'
import { parseSchema } from '../../../../src/serde/avro/schema.ts'
import type { SchemaRegistry } from '../../../../src/serde/serde.ts'
import { registryContract } from '../../../../src/testing/contracts/registry.ts'
import { type FakeRegistry, fakeRegistry } from './fake-registry.ts'

let fake: FakeRegistry
let registry: SchemaRegistry
beforeEach(async () => {
  fake = await fakeRegistry()
  registry = schemaRegistry({ url: fake.url, retries: 0, timeoutMs: 2_000 })
})
afterEach(() => fake.close())

registryContract('HTTP', () => registry)

const failure = async (ask: () => unknown): Promise<MillraceError> => {
  try {
    await ask()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was thrown')
}
const always = (status: number, body: unknown) => {
  fake.override = () => ({ status, body })
}

describe('asks as little as it can', () => {
  test('a schema is fetched once, also by many at once', async () => {
    const id = await registry.register('a', 'int')
    const other = schemaRegistry({ url: fake.url })
    fake.asked.length = 0
    expect(await Promise.all([other.schema(id), other.schema(id)])).toEqual(['int', 'int'])
    expect(other.schema(id)).toBe('int')
    expect(fake.asked).toHaveLength(1)
  })

  test('an id is found once, but a schema that is not there is asked for again', async () => {
    expect(await registry.idOf('a', 'int')).toBeUndefined()
    expect(await registry.idOf('a', 'int')).toBeUndefined()
    expect(fake.asked).toHaveLength(2)
    await registry.register('a', 'int')
    expect(registry.idOf('a', 'int')).toBe(1)
    expect(registry.register('a', 'int')).toBe(1)
    expect(fake.asked).toHaveLength(3)
  })

  test('a failure is not remembered', async () => {
    await registry.register('a', 'int')
    const other = schemaRegistry({ url: fake.url, retries: 0 })
    always(503, { message: 'starting' })
    expect((await failure(() => other.schema(1))).code).toBe('UNAVAILABLE')
    fake.override = () => undefined
    expect(await other.schema(1)).toBe('int')
  })
})

describe('what goes wrong gets its code', () => {
  test.each<[string, number, unknown, string, boolean]>([
    ['overloaded', 429, { message: 'slow down' }, 'UNAVAILABLE', true],
    ['down', 500, { error_code: 50001, message: 'Error in the backend data store' }, 'UNAVAILABLE', true],
    ['a gateway', 502, '<html>bad gateway</html>', 'UNAVAILABLE', true],
    ['no credentials', 401, { message: 'Unauthorized' }, 'AUTHENTICATION_FAILED', false],
    ['no rights', 403, { message: 'no' }, 'NOT_AUTHORIZED', false],
    ['not there', 404, { error_code: 40403, message: 'Schema not found' }, 'UNKNOWN_SCHEMA', false],
    ['incompatible', 409, { message: 'incompatible' }, 'INCOMPATIBLE_SCHEMA', false],
    ['invalid', 422, { error_code: 42201, message: 'Invalid schema' }, 'INVALID_SCHEMA', false],
    ['some other server', 404, '<html>nothing here</html>', 'INVALID_OPTION', false],
    ['some other server that is content', 200, '<html>welcome</html>', 'INVALID_OPTION', false],
    ['an answer of another kind', 200, { hello: 1 }, 'INVALID_OPTION', false],
  ])('%s', async (_, status, body, code, retriable) => {
    always(status, body)
    expect(await failure(() => registry.latest('a'))).toMatchObject({ code, retriable })
  })

  test.each(['reset', 'hang'] as const)('a connection that is %s', async (how) => {
    fake.override = () => how
    registry = schemaRegistry({ url: fake.url, retries: 0, timeoutMs: 100 })
    expect(await failure(() => registry.schema(1))).toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    expect(await failure(() => registry.register('a', 'int'))).toMatchObject({ code: 'UNAVAILABLE', retriable: true })
  })

  test('nobody listens', async () => {
    await fake.close()
    const error = await failure(() => registry.schema(1))
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    expect(error.message).toContain('ECONNREFUSED')
  })

  test('schemas of another kind', async () => {
    always(200, { id: 1, schemaType: 'PROTOBUF', schema: 'syntax = "proto3";' })
    expect(await failure(() => registry.schema(1))).toMatchObject({ code: 'INCOMPATIBLE_SCHEMA' })
  })

  test('no URL', () => {
    expect(() => schemaRegistry({ url: 'localhost' })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})

describe('credentials', () => {
  const authorization = () => fake.asked.at(-1)?.headers.authorization

  test.each<[string, () => SchemaRegistry]>([
    ['given', () => schemaRegistry({ url: fake.url, auth: { username: 'app', password: 's3cret' } })],
    ['in the URL', () => schemaRegistry({ url: fake.url.replace('//', '//app:s3cret@') })],
  ])('%s, are sent, and shown nowhere', async (_, make) => {
    const client = make()
    await client.register('a', 'int')
    expect(authorization()).toBe(`Basic ${Buffer.from('app:s3cret').toString('base64')}`)
    for (const status of [401, 403, 404, 500]) {
      always(status, { message: 'no' })
      const error = await failure(() => client.schema(9))
      const all = [error.message, error.stack, JSON.stringify(error), JSON.stringify(error.cause ?? '')].join()
      expect(all).not.toMatch(/s3cret|YXBwOnMzY3JldA/)
    }
  })

  test('a token and headers are sent', async () => {
    await schemaRegistry({ url: fake.url, auth: { token: 't0ken' }, headers: { 'X-Tenant': 'a' } }).idOf('a', 'int')
    expect(fake.asked[0].headers).toMatchObject({ authorization: 'Bearer t0ken', 'x-tenant': 'a' })
  })
})

test('referenced schemas are put in', async () => {
  const address = { type: 'record', name: 'Address', namespace: 'geo', fields: [{ name: 'country', type: 'Country' }] }
  const country = { type: 'enum', name: 'geo.Country', symbols: ['DE', 'FR'] }
  const fields = [
    { name: 'from', type: 'geo.Address' },
    { name: 'to', type: ['null', 'geo.Address'] },
    { name: 'in', type: { type: 'array', items: 'geo.Country' } },
  ]
  const order = { type: 'record', name: 'Order', namespace: 'shop', fields }
  const answers: Record<string, unknown> = {
    '/base/schemas/ids/7': {
      schema: JSON.stringify(order),
      references: [{ name: 'geo.Address', subject: 'address', version: 3 }],
    },
    '/base/subjects/address/versions/3': {
      id: 5,
      schema: JSON.stringify(address),
      references: [{ name: 'geo.Country', subject: 'country', version: 1 }],
    },
    '/base/subjects/country/versions/1': { id: 4, schema: JSON.stringify(country) },
  }
  fake.override = ({ path }) => ({ status: 200, body: answers[path] })
  const whole = await registry.schema(7)
  expect(whole).toMatchObject({
    name: 'Order',
    fields: [
      { name: 'from', type: { name: 'Address', fields: [{ type: { type: 'enum', name: 'geo.Country' } }] } },
      { name: 'to', type: ['null', 'geo.Address'] },
      { name: 'in', type: { type: 'array', items: 'geo.Country' } },
    ],
  })
  expect(parseSchema(whole)).toMatchObject({ name: 'shop.Order' })
})

test('a read is tried again, a write is not', async () => {
  const client = schemaRegistry({ url: fake.url, retries: 2 })
  always(503, { message: 'busy' })
  await failure(() => client.schema(1))
  expect(fake.asked).toHaveLength(3)
  await failure(() => client.register('a', 'int'))
  expect(fake.asked).toHaveLength(4)
})
