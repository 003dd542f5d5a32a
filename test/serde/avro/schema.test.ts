import { describe, expect, test } from 'vitest'
import { canonical } from '../../../src/serde/avro/canonical.ts'
import { checkDefaults } from '../../../src/serde/avro/defaults.ts'
import { parseSchema } from '../../../src/serde/avro/schema.ts'
import type { RecordType, Union } from '../../../src/serde/avro/types.ts'
import type { AvroSchema } from '../../../src/serde/serde.ts'

const record = (...fields: unknown[]): AvroSchema => ({ type: 'record', name: 'R', fields })
const field = (type: unknown, more = {}) => ({ name: 'f', type, ...more })

describe('refuses what is no schema, and says where', () => {
  test.each<[string, AvroSchema, string]>([
    ['unknown type', record(field('strin')), 'f: "strin" is neither a type nor the name of one defined before'],
    ['no type', record({ name: 'f' }), 'f: the field has no type'],
    ['no fields', { type: 'record', name: 'R' }, 'record R needs an array of fields'],
    ['no name', { type: 'record', fields: [] }, 'record needs a name'],
    ['a name with a dash', { type: 'fixed', name: 'a-b', size: 1 }, '"a-b" cannot be the name of a type'],
    ['a name of a primitive', { type: 'record', name: 'int', fields: [] }, '"int" cannot be the name of a type'],
    ['two fields of one name', record(field('int'), field('int')), 'f: R has two fields of this name'],
    ['a field with a bad name', record({ name: '1a', type: 'int' }), 'a field with the name "1a"'],
    ['a type defined twice', record(field({ type: 'fixed', name: 'R', size: 1 })), 'R is defined twice'],
    ['no symbols', { type: 'enum', name: 'E', symbols: [] }, 'enum E needs symbols'],
    ['a symbol twice', { type: 'enum', name: 'E', symbols: ['A', 'A'] }, 'enum E needs symbols, all different'],
    ['an enum default', { type: 'enum', name: 'E', symbols: ['A'], default: 'B' }, 'the default of enum E, "B"'],
    ['a negative size', { type: 'fixed', name: 'F', size: -1 }, 'fixed F needs a size in bytes, got -1'],
    ['a union in a union', record(field(['null', ['int', 'string'] as never])), 'f: a union may not hold a union'],
    ['a branch twice', ['string', { type: 'string' }], 'the union holds string twice'],
    ['aliases that are no list', record(field('int', { aliases: 'g' })), 'f: "g" should be an array of strings'],
    ['nothing', null as never, 'null is not a schema'],
    ['text that is not JSON', '{"type":', 'the text is not JSON'],
    ['a place deep inside', record(field({ type: 'array', items: record(field('oops')) })), 'R is defined twice'],
  ])('%s', (_, schema, message) => {
    expect(() => parseSchema(schema)).toThrow(expect.objectContaining({ code: 'INVALID_SCHEMA' }))
    expect(() => parseSchema(schema)).toThrow(message)
  })
})

describe('defaults', () => {
  test.each<[unknown, unknown]>([
    ['int', '1'],
    ['int', 2 ** 31],
    ['long', 2 ** 53],
    ['string', 1],
    ['boolean', 0],
    ['null', 0],
    ['bytes', 'Ā'],
    [{ type: 'fixed', name: 'F', size: 2 }, 'a'],
    [{ type: 'enum', name: 'E', symbols: ['A'] }, 'B'],
    [{ type: 'array', items: 'int' }, ['a']],
    [{ type: 'map', values: 'int' }, { a: null }],
    [['null', 'int'], 'a'],
    [{ type: 'record', name: 'S', fields: [{ name: 'a', type: 'int' }] }, {}],
  ])('of %j may not be %j', (type, given) => {
    const schema = parseSchema(record(field(type, { default: given })))
    expect(() => checkDefaults(schema)).toThrow(/R\.f.*: the default .* is not a value of/)
  })

  test.each<[unknown, unknown]>([
    ['int', -1],
    ['double', 1],
    ['bytes', '\u0000ÿ'],
    [['int', 'null'], null],
    [{ type: 'record', name: 'S', fields: [{ name: 'a', type: 'int', default: 1 }] }, {}],
  ])('of %j may be %j', (type, given) => {
    checkDefaults(parseSchema(record(field(type, { default: given }))))
  })
})

describe('names', () => {
  const typeOf = (schema: AvroSchema, index = 0) => (parseSchema(schema) as RecordType).fields[index].type

  test('are qualified by the namespace around them, and so are aliases', () => {
    const inner = { type: 'fixed', name: 'Id', size: 4, aliases: ['Old', 'x.Older'] }
    const schema = {
      type: 'record',
      name: 'Order',
      namespace: 'shop',
      fields: [field(inner), { name: 'g', type: 'Id' }],
    }
    expect(typeOf(schema)).toMatchObject({ name: 'shop.Id', aliases: ['shop.Old', 'x.Older'] })
    expect(typeOf(schema, 1)).toEqual(typeOf(schema, 0))
    expect(parseSchema({ type: 'record', name: 'a.b.C', namespace: 'ignored', fields: [] })).toMatchObject({
      name: 'a.b.C',
    })
  })

  test('may refer to the record that is being defined', () => {
    const node = parseSchema({ type: 'record', name: 'Node', fields: [field(['null', 'Node'])] }) as RecordType
    expect((node.fields[0].type as Union).branches[1]).toBe(node)
  })
})

test('text of a schema is as good as the schema', () => {
  expect(parseSchema('{"type":"array","items":"int"}')).toEqual(parseSchema({ type: 'array', items: 'int' }))
  expect(parseSchema('"int"')).toEqual({ kind: 'int' })
  expect(parseSchema('int')).toEqual({ kind: 'int' })
})

describe('logical types', () => {
  test.each<[unknown, unknown]>([
    [{ type: 'long', logicalType: 'timestamp-millis' }, { name: 'timestamp-millis' }],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 },
      { name: 'decimal', precision: 4, scale: 2 },
    ],
    [
      { type: 'bytes', logicalType: 'decimal', precision: 4 },
      { name: 'decimal', precision: 4, scale: 0 },
    ],
    [{ type: 'fixed', name: 'U', size: 16, logicalType: 'uuid' }, { name: 'uuid' }],
    // Unknown or invalid ones are ignored (Avro 1.12, "Logical Types").
    [{ type: 'long', logicalType: 'parsecs' }, undefined],
    [{ type: 'long', logicalType: 'constructor' }, undefined],
    [{ type: 'int', logicalType: 'timestamp-millis' }, undefined],
    [{ type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 }, undefined],
    [{ type: 'bytes', logicalType: 'decimal' }, undefined],
    [{ type: 'fixed', name: 'D', size: 1, logicalType: 'decimal', precision: 3 }, undefined],
    [{ type: 'fixed', name: 'U', size: 15, logicalType: 'uuid' }, undefined],
  ])('%j', (schema, logical) => {
    expect((parseSchema(schema as AvroSchema) as { logical?: unknown }).logical).toEqual(logical)
  })
})

describe('canonical text', () => {
  const text = (schema: AvroSchema) => canonical(parseSchema(schema))

  test('is the same for schemas that mean the same', () => {
    expect(
      text({ type: 'record', name: 'R', namespace: 'n', doc: 'd', fields: [field({ type: 'int' }, { doc: 'x' })] }),
    ).toBe(text({ fields: [field('int', { order: 'ignore' })], type: 'record', name: 'n.R' }))
  })

  test.each<[string, AvroSchema, AvroSchema]>([
    ['default', record(field('int', { default: 1 })), record(field('int'))],
    ['null default', record(field(['null', 'int'], { default: null })), record(field(['null', 'int']))],
    ['alias', record(field('int', { aliases: ['g'] })), record(field('int'))],
    ['logical type', record(field({ type: 'int', logicalType: 'date' })), record(field('int'))],
    [
      'order of fields',
      record(field('int'), { name: 'g', type: 'int' }),
      record({ name: 'g', type: 'int' }, field('int')),
    ],
  ])('differs by %s', (_, one, other) => expect(text(one)).not.toBe(text(other)))
})
