import { connect, createServer } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { type KafkaLogEntry, type KafkaOptions, kafka, type SaslOptions } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { readRecords, writeRecords } from '../../support/records.ts'
import { kafkaBrokers, securedKafka, uniqueName } from '../../support/services.ts'

const { brokers, ca, username, password, certified, certificate, key } = securedKafka()
const ssl = { ca }
const open: Log[] = []
const said: KafkaLogEntry[] = []

afterEach(async () => {
  for (const log of open.splice(0)) await log.close()
  said.length = 0
})

function log(options: Omit<KafkaOptions, 'brokers'> & Partial<KafkaOptions>): Log {
  const made = kafka({ brokers, connectionTimeoutMs: 5_000, log: (entry) => said.push(entry), ...options })
  open.push(made)
  return made
}

/** Everything that the error tells, to whoever prints it in whatever way; and what was logged meanwhile. */
async function refusal(options: Omit<KafkaOptions, 'brokers'> & Partial<KafkaOptions>) {
  const error: unknown = await log(options)
    .connect()
    .then(
      () => undefined,
      (thrown) => thrown,
    )
  if (!(error instanceof MillraceError)) throw new Error(`expected a refusal, got ${inspect(error)}`)
  return {
    error,
    emitted: [inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error), inspect(said)].join(),
  }
}

async function roundTrip(options: Omit<KafkaOptions, 'brokers'> & Partial<KafkaOptions>): Promise<void> {
  const secured = log(options)
  await secured.connect()
  const topic = uniqueName('secured')
  await secured.admin.create([{ topic, partitions: 1 }])
  await writeRecords(secured, topic, [{ key: 'k', value: 'v', timestamp: 1 }])
  expect(await readRecords(secured, topic)).toMatchObject([{ key: 'k', value: 'v' }])
  const producer = secured.producer({ transactionalId: topic })
  await producer.init()
  await producer.close()
}

const token = (claims: object) =>
  [{ alg: 'none' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
    .concat('.')
const valid = () => token({ sub: 'app', iat: Date.now() / 1000 - 60, exp: Date.now() / 1000 + 3600 })

describe('a broker that demands', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('SASL %s over TLS is spoken to', async (mechanism) => {
    await roundTrip({ ssl, sasl: { mechanism, username, password } })
  })

  it('OAUTHBEARER gets a token for every connection', async () => {
    let asked = 0
    await roundTrip({
      ssl,
      sasl: {
        mechanism: 'oauthbearer',
        async oauthBearerProvider() {
          asked++
          return { value: valid() }
        },
      },
    })
    expect(asked).toBeGreaterThan(2)
  })

  it('a client certificate is shown one', async () => {
    await roundTrip({ brokers: certified, ssl: { ca, cert: certificate, key } })
  })
})

describe('a refusal says what to do and gives nothing away:', () => {
  const secret = 'wrong-but-still-a-secret'

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('wrong password, %s', async (mechanism) => {
    const { error, emitted } = await refusal({ ssl, sasl: { mechanism, username, password: secret } })
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED', retriable: false })
    expect(error.hint).toMatch(/credentials/)
    expect(emitted).not.toContain(secret)
    expect(emitted).not.toContain(Buffer.from(secret).toString('base64'))
  })

  it('unknown user', async () => {
    const sasl: SaslOptions = { mechanism: 'scram-sha-512', username: 'nobody', password: secret }
    const { error, emitted } = await refusal({ ssl, sasl })
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED', retriable: false })
    expect(emitted).not.toContain(secret)
  })

  it('a token that has expired', async () => {
    const expired = token({ sub: 'app', iat: 1_000, exp: 2_000 })
    const { error, emitted } = await refusal({
      ssl,
      sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: expired }) },
    })
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED', retriable: false })
    expect(error.message).toMatch(/token/)
    expect(emitted).not.toContain(expired)
  })

  it('a provider of tokens that fails', async () => {
    const { error } = await refusal({
      ssl,
      sasl: {
        mechanism: 'oauthbearer',
        async oauthBearerProvider() {
          throw new Error('the identity provider is away')
        },
      },
    })
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    expect(error.message).toMatch(/oauthBearerProvider/)
  })

  it('an authority that is not known', async () => {
    const { error, emitted } = await refusal({ ssl: true, sasl: { mechanism: 'plain', username, password } })
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED' })
    expect(error.hint).toMatch(/ca/)
    expect(emitted).not.toContain(password)
  })

  it('another host name than the certificate has', async () => {
    // 127.0.0.2 leads to this machine too, and is not in the certificate.
    const port = Number(brokers[0].split(':')[1])
    const server = createServer((client) => {
      const upstream = connect(port, '127.0.0.1')
      client.pipe(upstream).on('error', () => client.destroy())
      upstream.pipe(client).on('error', () => upstream.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const elsewhere = [`127.0.0.2:${address.port}`]
    const { error, emitted } = await refusal({
      brokers: elsewhere,
      ssl,
      sasl: { mechanism: 'plain', username, password },
    })
    server.close()
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED' })
    expect(error.message).toMatch(/certificate.*ALTNAME/)
    expect(error.hint).toMatch(/host name/)
    expect(emitted).not.toContain(password)
  })

  it('plain text to a TLS port', async () => {
    const { error } = await refusal({ connectionTimeoutMs: 3_000 })
    expect(error.code).toBe('UNAVAILABLE')
    expect(error.message).toMatch(/TLS/)
    expect(error.hint).toMatch(/ssl/)
  })

  it('TLS to a plain port', async () => {
    const { error } = await refusal({ brokers: kafkaBrokers().map((a) => a.replace('127.0.0.1', 'localhost')), ssl })
    expect(error.code).toBe('UNAVAILABLE')
    expect(error.hint).toMatch(/TLS port|ssl/)
  })

  it('no SASL where it is demanded', async () => {
    const { error } = await refusal({ ssl })
    expect(error.message + error.hint).toMatch(/SASL/)
  })

  it('SASL where nobody asks for it', async () => {
    const { error, emitted } = await refusal({
      brokers: kafkaBrokers(),
      sasl: { mechanism: 'plain', username, password: secret },
    })
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED' })
    expect(error.hint).toMatch(/sasl/)
    expect(emitted).not.toContain(secret)
  })

  it('no client certificate', async () => {
    const { error } = await refusal({ brokers: certified, ssl })
    expect(error.message + error.hint).toMatch(/client certificate/)
  })

  it('a client certificate of another authority', async () => {
    // Signed by nobody the broker knows: the key and certificate belong together, which TLS checks by itself.
    const { error, emitted } = await refusal({ brokers: certified, ssl: { ca, cert: ca, key } })
    expect(error.code).toMatch(/UNAVAILABLE|AUTHENTICATION_FAILED|INVALID_OPTION/)
    expect(emitted).not.toContain(key.split('\n')[1])
  })

  it('a mechanism that the broker does not have', async () => {
    const sasl = { mechanism: 'aws' as 'plain', username, password: secret }
    const { error, emitted } = await refusal({ ssl, sasl })
    expect(error.code).toMatch(/AUTHENTICATION_FAILED|INVALID_OPTION/)
    expect(emitted).not.toContain(secret)
  })
})
