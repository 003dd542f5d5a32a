import avsc from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileDecoder } from '../../../src/serde/avro/decoder.ts'
import { compileEncoder } from '../../../src/serde/avro/encoder.ts'
import { explain } from '../../../src/serde/avro/explain.ts'
import { Fault } from '../../../src/serde/avro/fault.ts'
import { incompatibilities, resolve } from '../../../src/serde/avro/resolve.ts'
import { parseSchema } from '../../../src/serde/avro/schema.ts'
import type { AvroType } from '../../../src/serde/avro/types.ts'
import { ByteWriter, byteSource } from '../../../src/serde/bytes.ts'
import type { AvroSchema } from '../../../src/serde/serde.ts'
import { type Draw, evolved, type Json, randomSchema, randomValue } from './arbitrary.ts'

const avscType = (schema: Json) => avsc.Type.forSchema(structuredClone(schema) as avsc.Schema)
const parse = (schema: Json) => parseSchema(schema as AvroSchema)

/** Values without classes: avsc makes instances of generated ones, and Buffers where we make Uint8Arrays. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

function encode(type: AvroType, value: unknown): Buffer {
  const out = new ByteWriter(8)
  compileEncoder(type, false)(value, out)
  return Buffer.from(out.bytes())
}

const decode = (writer: AvroType, reader: AvroType, bytes: Buffer) =>
  compileDecoder(resolve(writer, reader), false)(byteSource(bytes), 0, bytes.length)

const property = (body: (draw: Draw) => void, numRuns: number) =>
  fc.assert(
    fc.property(fc.gen(), (g) => body(g as unknown as Draw)),
    { numRuns },
  )

test('any value of any schema: the bytes of avsc, and back', () => {
  property((draw) => {
    const schema = randomSchema(draw)
    const type = parse(schema)
    const value = randomValue(draw, type)
    const theirs = avscType(schema).toBuffer(value)
    expect(explain(type, value)).toBeUndefined()
    expect(encode(type, value)).toEqual(theirs)
    expect(plain(decode(type, type, theirs))).toEqual(plain(value))
  }, 600)
})

test('any evolution that avsc resolves gives what avsc gives', () => {
  let resolved = 0
  let refused = 0
  property((draw) => {
    const writerSchema = randomSchema(draw, false)
    const readerSchema = evolved(draw, writerSchema)
    const writer = parse(writerSchema)
    const reader = parse(readerSchema)
    const value = randomValue(draw, writer)
    const bytes = avscType(writerSchema).toBuffer(value)
    const readerType = avscType(readerSchema)
    let resolver: avsc.Resolver | undefined
    try {
      resolver = readerType.createResolver(avscType(writerSchema))
    } catch {
      // Refused as a whole; here only such data is refused as does not fit.
      refused++
      return
    }
    resolved++
    expect(incompatibilities(writer, reader)).toEqual([])
    expect(plain(decode(writer, reader, bytes))).toEqual(plain(readerType.fromBuffer(bytes, resolver)))
  }, 1000)
  expect(resolved).toBeGreaterThan(300)
  expect(refused).toBeGreaterThan(30)
})

test('what avsc refuses is refused here too, unless the data at hand can be read', () => {
  property((draw) => {
    const writerSchema = randomSchema(draw, false)
    const readerSchema = evolved(draw, writerSchema)
    const writer = parse(writerSchema)
    const reader = parse(readerSchema)
    const bytes = encode(writer, randomValue(draw, writer))
    if (incompatibilities(writer, reader).length === 0) {
      decode(writer, reader, bytes)
      return
    }
    expect(() => avscType(readerSchema).createResolver(avscType(writerSchema))).toThrow()
    try {
      decode(writer, reader, bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(Fault)
    }
  }, 500)
})

test('bytes cut short or with some left over are never a value', () => {
  property((draw) => {
    const schema = randomSchema(draw)
    const type = parse(schema)
    const bytes = encode(type, randomValue(draw, type))
    const decoder = compileDecoder(resolve(type, type), false)
    // What comes after a record in its batch must not be taken for the rest of it.
    const around = Buffer.concat([bytes, Buffer.from(draw(fc.uint8Array, { maxLength: 30 }))])
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decoder(byteSource(around), 0, end), `${end} of ${bytes.length}`).toThrow(Fault)
      expect(() => decoder(byteSource(bytes.subarray(0, end)), 0, end)).toThrow(Fault)
    }
    expect(() => decoder(byteSource(Buffer.concat([bytes, Buffer.of(0)])), 0, bytes.length + 1)).toThrow(Fault)
  }, 200)
})

test('arbitrary bytes give a value or a Fault, also where fields are skipped', () => {
  property((draw) => {
    const writer = parse(randomSchema(draw))
    const reader = parse({ type: 'record', name: 'R0', fields: [] })
    const bytes = Buffer.from(draw(fc.uint8Array, { maxLength: 60 }))
    for (const target of [writer, reader]) {
      try {
        decode(writer, target, bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(Fault)
      }
    }
  }, 600)
})

test('skipping a value takes exactly its bytes', () => {
  property((draw) => {
    const skipped = randomSchema(draw)
    const fields = (type: Json) => [
      { name: 'before', type: 'int' },
      ...[{ name: 'x', type }],
      { name: 'after', type: 'string' },
    ]
    const record = (inner: unknown[]) => parse({ type: 'record', name: 'Outer', fields: inner })
    const writer = record(fields(skipped))
    const reader = record([{ name: 'after', type: 'string' }])
    const value = { before: 1, x: randomValue(draw, parse(skipped)), after: 'end' }
    expect(decode(writer, reader, encode(writer, value))).toEqual({ after: 'end' })
  }, 400)
})

test('records too wide for one function, alone, within each other and in unions', () => {
  const kinds: Json[] = ['string', 'long', 'double', ['null', 'string'], 'int', { type: 'array', items: 'int' }]
  const wide = (name: string, width: number): Json => {
    const fields = Array.from({ length: width }, (_, i) => ({ name: `f${i}`, type: kinds[i % kinds.length] }))
    return { type: 'record', name, fields }
  }
  const parts = Array.from({ length: 6 }, (_, i) => wide(`Part${i}`, 9))
  const first = [
    { name: 'inner', type: wide('Inner', 60) },
    { name: 'one', type: ['null', ...parts] },
    { name: 'next', type: ['null', 'Outer'] },
  ]
  const outer = {
    type: 'record',
    name: 'Outer',
    fields: [...first, ...(wide('x', 200) as { fields: object[] }).fields],
  }
  const thinner = { ...outer, fields: outer.fields.filter((_, i) => i % 3 !== 1).reverse() }
  property((draw) => {
    const writer = parse(outer)
    const value = randomValue(draw, writer, 5)
    const bytes = avscType(outer).toBuffer(value)
    expect(encode(writer, value)).toEqual(bytes)
    expect(plain(decode(writer, writer, bytes))).toEqual(plain(value))
    const readerType = avscType(thinner)
    const theirs = readerType.fromBuffer(bytes, readerType.createResolver(avscType(outer)))
    expect(plain(decode(writer, parse(thinner), bytes))).toEqual(plain(theirs))
    expect(() => decode(writer, writer, bytes.subarray(0, bytes.length - 1))).toThrow(Fault)
  }, 30)
})
