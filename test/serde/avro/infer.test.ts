import { expectTypeOf, test } from 'vitest'
import { avro } from '../../../src/serde/avro/index.ts'
import type { AvroSchema, Serde } from '../../../src/serde/serde.ts'
import { Order } from './orders.ts'

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
