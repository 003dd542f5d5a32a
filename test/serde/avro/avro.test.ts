import avsc from 'avsc'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { avro, memoryRegistry } from '../../../src/serde/avro/index.ts'
import { ByteWriter, byteSource } from '../../../src/serde/bytes.ts'
import type { AvroSchema, Codec, SchemaRegistry, Serde } from '../../../src/serde/serde.ts'
import { PendingSchema } from '../../../src/serde/serde.ts'
import { serdeContract } from '../../../src/testing/contracts/serde.ts'
import { manualClock, seconds } from '../../../src/time.ts'

const Order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'amount', type: 'double' },
    { name: 'placed_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
} as const
const order = { id: 'o-1', amount: 12.5, placed_at: 1_700_000_000_000, note: null }

const OrderV2 = { ...Order, fields: [...Order.fields, { name: 'currency', type: 'string', default: 'EUR' }] }

const context = (registry: SchemaRegistry, topic = 'orders') => ({ topic, part: 'value', registry }) as const
const decode = <T>(codec: Codec<T>, bytes: Uint8Array): T => codec.decode(byteSource(bytes), 0, bytes.length)
function encode<T>(codec: Codec<T>, value: T): Buffer {
  const out = new ByteWriter()
  codec.encode(value, out)
  return Buffer.from(out.bytes())
}
function thrownBy(action: () => unknown): MillraceError {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was thrown')
}

/** A registry that answers by promise, as those over a network do, and can be away. */
function remote(inner: SchemaRegistry = memoryRegistry()) {
  const state = { away: false, asked: 0 }
  const answer = async <T>(ask: () => T | Promise<T>): Promise<T> => {
    state.asked++
    if (state.away) throw new MillraceError('UNAVAILABLE', 'away', { retriable: true })
    return ask()
  }
  const registry: SchemaRegistry = {
    schema: (id) => answer(() => inner.schema(id)),
    latest: (subject) => answer(() => inner.latest(subject)),
    idOf: (subject, schema) => answer(() => inner.idOf(subject, schema)),
    register: (subject, schema) => answer(() => inner.register(subject, schema)),
    compatible: (subject, schema) => answer(() => inner.compatible(subject, schema)),
  }
  return { registry, inner, state }
}

serdeContract('avro', avro(Order), {
  values: [order, { ...order, id: '', note: 'käse '.repeat(50) }, { ...order, amount: NaN, placed_at: -1 }],
  undecodable: [
    Buffer.of(),
    Buffer.of(0, 0, 0, 0),
    Buffer.of(0, 0, 0, 0, 99, 1, 2, 3),
    Buffer.of(0, 0, 0, 0, 1),
    Buffer.of(0, 0, 0, 0, 1, 2),
    Buffer.from('{"id":"o-1"}'),
    Buffer.from(`01${'ab'.repeat(16)}`, 'hex'),
  ],
  unencodable: [undefined, null, {}, 'text', { ...order, id: 5 }, { ...order, placed_at: 0.5 }],
  context: { registry: memoryRegistry() },
})
serdeContract('avro of a primitive', avro('long'), {
  values: [0, -1, 2 ** 50],
  context: { registry: memoryRegistry() },
})
serdeContract('avro with bigints', avro('long', { bigint: true }), {
  values: [0n, 2n ** 62n],
  context: { registry: memoryRegistry() },
})

test('writes the Confluent wire format', () => {
  const registry = memoryRegistry([{ subject: 'other', schema: 'int' }])
  const bytes = encode(avro(Order).open(context(registry)), order)
  expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, 2])
  expect({ ...avsc.Type.forSchema(Order as never).fromBuffer(bytes.subarray(5)) }).toEqual(order)
})

test('tells its name and its schema', () => {
  expect(avro(Order)).toMatchObject({ format: 'avro(Order)', schema: Order })
  expect(avro(JSON.stringify(Order))).toMatchObject({ format: 'avro(Order)', schema: Order })
})

test('throws at once for a schema that is none, and without a registry', () => {
  expect(thrownBy(() => avro('strin')).code).toBe('INVALID_SCHEMA')
  const wrongDefault = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int', default: 'x' }] }
  expect(thrownBy(() => avro(wrongDefault)).code).toBe('INVALID_SCHEMA')
  const error = thrownBy(() => avro(Order).open({ topic: 'orders', part: 'value' }))
  expect(error).toMatchObject({ code: 'INVALID_OPTION', hint: expect.stringContaining('registry') })
})

describe('evolution', () => {
  test('each record is read by the schema it was written with', () => {
    const registry = memoryRegistry()
    const old = encode(avro(Order).open(context(registry)), order)
    const reader = avro<object>(OrderV2).open(context(registry))
    const current = encode(reader, { ...order, currency: 'USD' })
    expect(current.readInt32BE(1)).not.toBe(old.readInt32BE(1))
    for (let i = 0; i < 3; i++) {
      expect(decode(reader, old)).toEqual({ ...order, currency: 'EUR' })
      expect(decode(reader, current)).toEqual({ ...order, currency: 'USD' })
    }
    expect(decode(avro(Order).open(context(registry)), current)).toEqual(order)
  })

  test('a schema that cannot be read as ours: the reason, the id and the code', () => {
    const registry = memoryRegistry([{ subject: 'x', schema: { ...Order, fields: [{ name: 'id', type: 'int' }] } }])
    const error = thrownBy(() => decode(avro(Order).open(context(registry)), Buffer.of(0, 0, 0, 0, 1, 2)))
    expect(error).toMatchObject({
      code: 'UNDECODABLE_RECORD',
      message: expect.stringContaining(
        'written with schema 1, which cannot be read as shop.Order: id: cannot read int as string',
      ),
      cause: { code: 'INCOMPATIBLE_SCHEMA' },
    })
  })
})

describe('errors say what is wrong', () => {
  const registry = memoryRegistry([{ subject: 'orders-value', schema: Order }])
  const codec = avro(Order).open(context(registry))
  const whole = encode(codec, order)
  test.each<[string, Uint8Array, string]>([
    ['cut short', whole.subarray(0, 12), 'written with schema 1: amount: a double reaches past the end'],
    ['left over', Buffer.concat([whole, Buffer.of(1, 2)]), '2 bytes are left over after the value'],
    ['no header', Buffer.of(0, 0), '2 bytes are too few for a schema id'],
    ['JSON', Buffer.from('{"a":1}'), 'these bytes begin with 123 (string "{\\"a\\":1}")'],
    ['an id that is none', Buffer.of(0, 255, 255, 255, 255, 0), 'unknown schema id -1'],
    ['unknown id', Buffer.of(0, 0, 0, 1, 0, 0), 'unknown schema id 256'],
    ['GUID', Buffer.from(`01${'ab'.repeat(16)}00`, 'hex'), `named by the GUID ${'ab'.repeat(16)}`],
  ])('%s', (_, bytes, message) => {
    const error = thrownBy(() => decode(codec, bytes))
    expect(error).toMatchObject({ code: 'UNDECODABLE_RECORD', retriable: false, context: { topic: 'orders' } })
    expect(error.message).toContain(message)
    expect(error.message).toContain('cannot decode the value')
  })

  test('endless nesting', () => {
    const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] }
    const nested = avro(list).open(context(memoryRegistry([{ subject: 'orders-value', schema: list }])))
    const bytes = Buffer.alloc(1_000_000, 2)
    bytes.writeInt32BE(1, 1)
    bytes[0] = 0
    expect(thrownBy(() => decode(nested, bytes)).code).toBe('UNDECODABLE_RECORD')
  })

  test('a value', () => {
    const error = thrownBy(() => encode(codec, { ...order, amount: '12.5' } as never))
    expect(error.code).toBe('UNENCODABLE_RECORD')
    expect(error.message).toContain('amount: expected double, got string "12.5" (topic orders)')
  })
})

describe('before the first write', () => {
  const incompatible = { ...Order, fields: [...Order.fields, { name: 'needed', type: 'string' }] }

  test('register: the schema is registered, once, under the subject of the topic', async () => {
    const { registry, inner, state } = remote()
    const codec = avro(Order).open(context(registry))
    await codec.prepare?.()
    expect(inner.idOf('orders-value', Order)).toBe(1)
    const { asked } = state
    await codec.prepare?.()
    expect(state.asked).toBe(asked)
    expect(encode(codec, order).readInt32BE(1)).toBe(1)
  })

  test('register: a schema that is not compatible is refused, with the reason', async () => {
    const { registry } = remote(memoryRegistry([{ subject: 'orders-value', schema: Order }]))
    await expect(avro(incompatible).open(context(registry)).prepare?.()).rejects.toMatchObject({
      code: 'INCOMPATIBLE_SCHEMA',
      message: expect.stringContaining('field needed of shop.Order is not in'),
    })
  })

  test('register: is tried again after the registry was away', async () => {
    const { registry, state } = remote()
    const codec = avro(Order).open(context(registry))
    state.away = true
    await expect(codec.prepare?.()).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    state.away = false
    await codec.prepare?.()
    expect(encode(codec, order)[0]).toBe(0)
  })

  test('refuse: only what is registered may be written', async () => {
    const { registry, inner } = remote()
    const codec = avro(Order, { register: 'refuse' }).open(context(registry))
    await expect(codec.prepare?.()).rejects.toMatchObject({ code: 'UNKNOWN_SCHEMA', retriable: false })
    expect(() => inner.latest('orders-value')).toThrow()
    void inner.register('orders-value', Order)
    await codec.prepare?.()
    expect(encode(codec, order).readInt32BE(1)).toBe(1)
  })

  test('use-latest: values are written with the newest schema', async () => {
    const registry = memoryRegistry([
      { subject: 'orders-value', schema: Order },
      { subject: 'orders-value', schema: OrderV2 },
    ])
    const codec = avro(Order, { register: 'use-latest' }).open(context(registry))
    const bytes = encode(codec, order)
    expect(bytes.readInt32BE(1)).toBe(2)
    expect(decode(avro<object>(OrderV2).open(context(registry)), bytes)).toEqual({ ...order, currency: 'EUR' })
  })

  test('use-latest: a newest schema that our values do not fit is refused', () => {
    const registry = memoryRegistry([{ subject: 'orders-value', schema: incompatible }])
    const codec = avro(Order, { register: 'use-latest' }).open(context(registry))
    expect(thrownBy(() => codec.prepare?.()).code).toBe('INCOMPATIBLE_SCHEMA')
    const none = avro(Order, { register: 'use-latest' }).open(context(memoryRegistry()))
    expect(thrownBy(() => none.prepare?.()).code).toBe('UNKNOWN_SCHEMA')
  })

  test.each<[string, Parameters<typeof avro>[1], string]>([
    ['by default', {}, 'orders-key'],
    ['given', { subject: 'mine' }, 'mine'],
    ['by rule', { subject: ({ topic }) => `${topic}-shop.Order` }, 'orders-shop.Order'],
  ])('the subject, %s', (_, options, subject) => {
    const registry = memoryRegistry()
    void avro(Order, options).open({ topic: 'orders', part: 'key', registry }).prepare?.()
    expect(registry.latest(subject)).toEqual({ id: 1, schema: Order })
  })

  test('a registry that answers at once needs no prepare, another one does', async () => {
    expect(encode(avro(Order).open(context(memoryRegistry())), order)).toHaveLength(24)
    const { registry, state } = remote()
    state.away = true
    expect(thrownBy(() => encode(avro(Order).open(context(registry)), order)).message).toContain('must be awaited')
  })
})

describe('schemas that must be fetched', () => {
  const clock = manualClock()
  const bytes = encode(avro(Order).open(context(memoryRegistry())), order)
  const pendingOf = (codec: Codec<unknown>, value: Uint8Array = bytes): PendingSchema => {
    try {
      decode(codec, value)
    } catch (error) {
      if (error instanceof PendingSchema) return error
      throw error
    }
    throw new Error('was decoded')
  }
  const withOrder = () => remote(memoryRegistry([{ subject: 'orders-value', schema: Order }]))

  test('are loaded once, for all serdes and topics', async () => {
    const { registry, state } = withOrder()
    const codecs = ['a', 'b'].map((topic) => avro(Order, { clock }).open(context(registry, topic)))
    await Promise.all(codecs.map((codec) => pendingOf(codec).load()))
    for (const codec of codecs) expect(decode(codec, bytes)).toEqual(order)
    expect(state.asked).toBe(1)
  })

  test('are known already when they were written here', async () => {
    const { registry } = remote()
    const writer = avro(Order, { clock }).open(context(registry, 'changelog'))
    await writer.prepare?.()
    expect(decode(avro(Order, { clock }).open(context(registry, 'other')), encode(writer, order))).toEqual(order)
  })

  test('wait for a registry that is away', async () => {
    const { registry, state } = withOrder()
    const codec = avro(Order, { clock }).open(context(registry))
    state.away = true
    for (let i = 0; i < 3; i++) {
      await expect(pendingOf(codec).load()).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    }
    const pending = pendingOf(codec)
    await expect(pending.load()).rejects.toMatchObject({ retriable: true })
    state.away = false
    await pending.load()
    expect(decode(codec, bytes)).toEqual(order)
  })

  test('a failure that nobody awaits harms nobody', async () => {
    const { registry, state } = withOrder()
    state.away = true
    pendingOf(avro(Order, { clock }).open(context(registry)))
    await new Promise(setImmediate)
  })

  test('an id that is not there is waited for during the grace, then given up, and not asked for again and again', async () => {
    const { registry, inner, state } = remote()
    const codec = avro(Order, { clock, unknownIdGraceMs: seconds(5) }).open(context(registry))
    await expect(pendingOf(codec).load()).rejects.toMatchObject({ code: 'UNAVAILABLE', retriable: true })
    clock.advance(seconds(4))
    await expect(pendingOf(codec).load()).rejects.toMatchObject({ retriable: true })
    clock.advance(seconds(1))
    await pendingOf(codec).load()

    const { asked } = state
    for (let i = 0; i < 5; i++) expect(thrownBy(() => decode(codec, bytes)).message).toContain('unknown schema id 1')
    expect(state.asked).toBe(asked)

    void inner.register('orders-value', Order)
    clock.advance(seconds(60))
    await pendingOf(codec).load()
    expect(decode(codec, bytes)).toEqual(order)
  })

  test('garbage that looks like ids holds nobody up for long', async () => {
    const { registry } = remote()
    const codec = avro(Order, { clock }).open(context(registry))
    const withId = (id: number) => Buffer.concat([Buffer.of(0, 0, 0, 1, id), bytes.subarray(5)])
    for (const id of [1, 2, 3]) {
      await expect(pendingOf(codec, withId(id)).load()).rejects.toMatchObject({ retriable: true })
    }
    clock.advance(seconds(5))
    for (const id of [1, 2, 3]) await pendingOf(codec, withId(id)).load()
    for (const id of [4, 5, 6]) {
      await pendingOf(codec, withId(id)).load()
      expect(thrownBy(() => decode(codec, withId(id))).code).toBe('UNDECODABLE_RECORD')
    }
  })

  test('an id that comes within the grace is read', async () => {
    const { registry, inner } = remote()
    const codec = avro(Order, { clock }).open(context(registry))
    await expect(pendingOf(codec).load()).rejects.toMatchObject({ retriable: true })
    void inner.register('orders-value', Order)
    await pendingOf(codec).load()
    expect(decode(codec, bytes)).toEqual(order)
  })

  test('a schema that cannot be used is a bad record, and is not fetched again', async () => {
    const { registry, state } = remote()
    const broken: SchemaRegistry = {
      ...registry,
      async schema() {
        state.asked++
        return 'strin'
      },
    }
    const codec = avro(Order, { clock }).open(context(broken))
    await pendingOf(codec).load()
    const { asked } = state
    expect(thrownBy(() => decode(codec, bytes))).toMatchObject({
      code: 'UNDECODABLE_RECORD',
      cause: { code: 'INVALID_SCHEMA' },
    })
    expect(state.asked).toBe(asked)
  })

  test('a registry that refuses us is not taken for a bad record', async () => {
    const { registry } = withOrder()
    const refusing: SchemaRegistry = {
      ...registry,
      schema: async () => {
        throw new MillraceError('AUTHENTICATION_FAILED', 'no')
      },
    }
    const codec = avro(Order, { clock }).open(context(refusing))
    await expect(pendingOf(codec).load()).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
  })
})

test('types flow from a literal schema', () => {
  const rich = {
    type: 'record',
    name: 'Rich',
    fields: [
      { name: 'size', type: { type: 'enum', name: 'Size', symbols: ['S', 'L'] } },
      { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
      { name: 'nanos', type: { type: 'long', logicalType: 'timestamp-nanos' } },
      { name: 'raw', type: { type: 'fixed', name: 'F', size: 2 } },
      { name: 'tags', type: { type: 'map', values: ['null', 'int'] } },
      {
        name: 'items',
        type: { type: 'array', items: { type: 'record', name: 'I', fields: [{ name: 'n', type: 'long' }] } },
      },
      { name: 'either', type: ['null', 'string', 'int'] },
      { name: 'alike', type: ['int', 'long'] },
      { name: 'again', type: 'Size' },
    ],
  } as const
  expectTypeOf(avro(Order)).toEqualTypeOf<
    Serde<{ id: string; amount: number; placed_at: number; note: string | null }>
  >()
  type Rich = {
    size: 'S' | 'L'
    price: string
    nanos: bigint
    raw: Uint8Array
    tags: { [key: string]: number | null }
    items: { n: number }[]
    either: string | number | null
    alike: unknown
    again: unknown
  }
  expectTypeOf(avro(rich)).toEqualTypeOf<Serde<Rich>>()
  expectTypeOf(avro('long', { bigint: true })).toEqualTypeOf<Serde<bigint>>()
  expectTypeOf(avro({ type: 'array', items: 'string' })).toEqualTypeOf<Serde<string[]>>()
  expectTypeOf(avro<{ a: 1 }>(Order as AvroSchema)).toEqualTypeOf<Serde<{ a: 1 }>>()
  expectTypeOf(avro(Order as AvroSchema)).toEqualTypeOf<Serde<unknown>>()
})
