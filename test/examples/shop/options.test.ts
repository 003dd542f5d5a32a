import { describe, expect, it } from 'vitest'
import { HELP, readOptions } from '../../../examples/shop/options.ts'
import { partsFrom } from '../../../examples/shop/parts.ts'

const read = (...argv: string[]) => readOptions(argv, {})

describe('the command line of the shop', () => {
  it('has defaults for everything', () => {
    expect(read()).toMatchObject({
      records: 200_000,
      data: 'data',
      name: 'shop',
      role: 'all',
      json: false,
      seed: undefined,
    })
    expect(read('--records', '1,000,000', '--seed', '7')).toMatchObject({ records: 1_000_000, seed: 7 })
    expect(read('--help', '--records', 'x')).toBe('help')
  })

  it('keeps what belongs to real parts apart', () => {
    expect(readOptions([], { KAFKA_BROKERS: 'localhost:9092' })).toMatchObject({ data: 'data/real' })
    expect(readOptions(['--data', 'd'], { KAFKA_BROKERS: 'localhost:9092' })).toMatchObject({ data: 'd' })
  })

  it.each([
    [['--bogus'], /Unknown option '--bogus'\n.*npm start -- --help/],
    [['more'], /Unexpected argument 'more'\n.*--help/],
    [['--records'], /--records/],
    [['--records', 'abc'], /--records abc\n.*whole number from 1/],
    [['--records', '0'], /whole number from 1/],
    [['--records', '1.5'], /whole number/],
    [['--seed', '-1'], /--seed|whole number/],
    [['--http', 'port'], /--http port\n.*65535/],
    [['--http', '70000'], /65535/],
    [['--name', 'my shop'], /--name my shop\n.*letters/],
    [['--job-only', '--feed-only'], /one of the two/],
  ])('answers %j with what to write', (argv, message) => {
    expect(() => read(...argv)).toThrow(message)
    expect(() => read(...argv)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  it('does not start over on parts whose data it cannot delete', () => {
    expect(() => readOptions(['--fresh'], { S3_ENDPOINT: 'http://s3' })).toThrow(/S3_ENDPOINT.*\n.*--name/)
  })

  it('lists every option in a help that fits 80 columns', () => {
    expect(Math.max(...HELP.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    for (const option of ['records', 'seed', 'fresh', 'follow', 'json', 'data', 'name', 'http', 'instance', 'log']) {
      expect(HELP).toContain(`--${option}`)
    }
  })
})

describe('the parts of the shop', () => {
  it.each([
    ['KAFKA_BROKERS', 'localhost'],
    ['KAFKA_BROKERS', 'http://localhost:9092'],
    ['SCHEMA_REGISTRY_URL', 'localhost:8081'],
    ['CLICKHOUSE_URL', 'foo'],
    ['S3_ENDPOINT', 'localhost:9000'],
  ])('%s=%s is told how it is written', (variable, value) => {
    const env = { [variable]: value }
    expect(() => partsFrom(env, 'data', 'shop')).toThrow(new RegExp(`${variable} is "${value}"\\n.*${variable}=`))
  })

  it('shows no password', () => {
    const parts = partsFrom({ CLICKHOUSE_URL: 'http://me:secret@host:8123' }, 'data', 'shop')
    expect(JSON.stringify([parts.described, parts.identity])).not.toContain('secret')
    expect(parts.clickhouseUrl).toContain('secret')
    expect(() => partsFrom({ S3_ENDPOINT: 'ftp://me:secret@host' }, 'data', 'shop')).toThrow(/^(?![\s\S]*secret)/)
  })
})
