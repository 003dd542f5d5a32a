import { MillraceError } from '../../../src/errors.ts'
import { memoryRegistry } from '../../../src/serde/avro/index.ts'
import { ByteWriter, byteSource } from '../../../src/serde/bytes.ts'
import type { Codec, SchemaRegistry } from '../../../src/serde/serde.ts'

/** Orders, the registries that they are written with, and their way through a codec. */

export const Order = {
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
export const order = { id: 'o-1', amount: 12.5, placed_at: 1_700_000_000_000, note: null }

export const OrderV2 = { ...Order, fields: [...Order.fields, { name: 'currency', type: 'string', default: 'EUR' }] }

export const context = (registry: SchemaRegistry, topic = 'orders') => ({ topic, part: 'value', registry }) as const
export const decode = <T>(codec: Codec<T>, bytes: Uint8Array): T => codec.decode(byteSource(bytes), 0, bytes.length)
export function encode<T>(codec: Codec<T>, value: T): Buffer {
  const out = new ByteWriter()
  codec.encode(value, out)
  return Buffer.from(out.bytes())
}

/** A registry that answers by promise, as those over a network do, and can be away. */
export function remote(inner: SchemaRegistry = memoryRegistry()) {
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
