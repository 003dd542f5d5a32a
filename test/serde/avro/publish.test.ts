import { describe, expect, test } from 'vitest'
import { avro, memoryRegistry } from '../../../src/serde/avro/index.ts'
import { thrownBy } from '../../support/thrown-by.ts'
import { context, decode, encode, Order, OrderV2, order, remote } from './orders.ts'

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
