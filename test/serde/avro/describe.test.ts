import { expect, test } from 'vitest'
import { describeFields } from '../../../src/serde/avro/describe.ts'

test('fields as those see them who make tables', () => {
  const address = { type: 'record', name: 'Address', fields: [{ name: 'city', type: 'string' }] }
  const fields = [
    { name: 'id', type: 'string', doc: 'unique' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'price', type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }], default: null },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
    { name: 'size', type: { type: 'enum', name: 'Size', symbols: ['S', 'L'] }, default: 'S' },
    { name: 'tags', type: { type: 'array', items: ['string', 'null'] } },
    { name: 'more', type: { type: 'map', values: 'double' } },
    { name: 'from', type: address },
    { name: 'to', type: ['null', 'Address'] },
    { name: 'either', type: ['null', 'string', 'int'] },
    { name: 'alike', type: ['int', 'long'] },
    { name: 'next', type: ['null', 'Order'] },
    { name: 'nothing', type: 'null' },
  ]
  const city = {
    kind: 'record',
    name: 'Address',
    fields: [{ name: 'city', type: { kind: 'string' }, nullable: false }],
  }
  expect(describeFields({ type: 'record', name: 'Order', fields })).toEqual([
    { name: 'id', type: { kind: 'string' }, nullable: false, doc: 'unique' },
    { name: 'at', type: { kind: 'long', logicalType: 'timestamp-millis' }, nullable: false },
    {
      name: 'price',
      type: { kind: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
      nullable: true,
      default: { json: null },
    },
    { name: 'hash', type: { kind: 'fixed', name: 'Hash', size: 4 }, nullable: false },
    {
      name: 'size',
      type: { kind: 'enum', name: 'Size', symbols: ['S', 'L'] },
      nullable: false,
      default: { json: 'S' },
    },
    { name: 'tags', type: { kind: 'array', items: { type: { kind: 'string' }, nullable: true } }, nullable: false },
    { name: 'more', type: { kind: 'map', values: { type: { kind: 'double' }, nullable: false } }, nullable: false },
    { name: 'from', type: city, nullable: false },
    { name: 'to', type: city, nullable: true },
    {
      name: 'either',
      type: { kind: 'union', branches: [{ kind: 'string' }, { kind: 'int' }], wrapped: false },
      nullable: true,
    },
    {
      name: 'alike',
      type: { kind: 'union', branches: [{ kind: 'int' }, { kind: 'long' }], wrapped: true },
      nullable: false,
    },
    { name: 'next', type: { kind: 'recursive', name: 'Order' }, nullable: true },
    { name: 'nothing', type: { kind: 'null' }, nullable: true },
  ])
})

test('only records have fields', () => {
  expect(() => describeFields('int')).toThrow(expect.objectContaining({ code: 'INVALID_SCHEMA' }))
})
