import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { avro, memoryRegistry } from '../../../src/serde/avro/index.ts'
import { type Codec, PendingSchema, type SchemaRegistry } from '../../../src/serde/serde.ts'
import { manualClock, seconds } from '../../../src/time.ts'
import { thrownBy } from '../../support/thrown-by.ts'
import { context, decode, encode, Order, order, remote } from './orders.ts'

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
