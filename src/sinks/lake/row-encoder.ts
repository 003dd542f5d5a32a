import avsc from 'avsc'
import { MillraceError, toError } from '../../errors.ts'
import type { ByteWriter } from '../../serde/bytes.ts'
import type { AvroSchema } from '../../serde/serde.ts'
import { writeLong } from './avro-varint.ts'
import type { FileSchema } from './file-schema.ts'

/** Appends one row to a file. Throws when the value does not fit the schema; what was appended by then is undone. */
export type RowEncoder = (
  key: unknown,
  value: unknown,
  timestamp: number,
  partition: number,
  offset: number,
  out: ByteWriter,
) => void

/** The encoder of a file schema: the value by its Avro schema, the metadata by hand behind it. */
export function rowEncoder({ value: schema, kind, metadata }: FileSchema): RowEncoder {
  const encodeRow = kind === 'json' ? jsonRow : avroRow(valueEncoder(schema), metadata)
  return (key, value, timestamp, partition, offset, out) => {
    const start = out.position
    try {
      encodeRow(key, value, out)
      if (!metadata) return
      writeLong(out, timestamp)
      writeLong(out, partition)
      writeLong(out, offset)
    } catch (error) {
      out.position = start
      throw error
    }
  }
}

type ValueEncoder = (value: unknown, out: ByteWriter) => void

function avroRow(
  encodeValue: ValueEncoder,
  metadata: boolean,
): (key: unknown, value: unknown, out: ByteWriter) => void {
  if (!metadata) return (_key, value, out) => encodeValue(value, out)
  return (key, value, out) => {
    encodeValue(value, out)
    writeTextOrNull(out, keyText(key))
  }
}

function jsonRow(key: unknown, value: unknown, out: ByteWriter): void {
  writeTextOrNull(out, keyText(key))
  const text = json(value)
  if (text === undefined) throw new TypeError('the value has no JSON')
  writeText(out, text)
}

function valueEncoder(schema: AvroSchema): ValueEncoder {
  const type = compile(schema)
  return (value, out) => {
    out.ensure(64)
    let end = type.encode(value, out.buffer, out.position)
    if (end < 0) {
      // avsc answers with the number of bytes that were wanting.
      out.ensure(out.buffer.length - out.position - end)
      end = type.encode(value, out.buffer, out.position)
    }
    out.position = end
  }
}

function compile(schema: AvroSchema): avsc.Type {
  try {
    return avsc.Type.forSchema(schema as avsc.Schema)
  } catch (cause) {
    throw new MillraceError('INVALID_SCHEMA', `the lake's schema is not an Avro schema: ${toError(cause).message}`, {
      cause,
    })
  }
}

/** The key of a record as the files show it. */
export function keyText(key: unknown): string | null {
  if (typeof key === 'string') return key
  if (key === null || key === undefined) return null
  if (key instanceof Uint8Array) return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('base64')
  return json(key) ?? String(key)
}

/** JSON, with bigints as texts and bytes in base64. */
function json(value: unknown): string | undefined {
  return JSON.stringify(value, function (name, member) {
    if (typeof member === 'bigint') return member.toString()
    // Buffer#toJSON has already been called on `member`, so look at what it was before.
    const raw = (this as Record<string, unknown>)[name]
    if (raw instanceof Uint8Array) return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64')
    return member as unknown
  })
}

function writeTextOrNull(out: ByteWriter, text: string | null): void {
  writeLong(out, text === null ? 0 : 1) // the branch of ["null", "string"]
  if (text !== null) writeText(out, text)
}

function writeText(out: ByteWriter, text: string): void {
  // Up to 63 ASCII characters the length is one byte, which is put in afterwards.
  const start = out.position
  out.ensure(1)
  out.position++
  out.string(text)
  const length = out.position - start - 1
  if (length < 64) {
    out.buffer[start] = length << 1
    return
  }
  out.position = start
  writeLong(out, length)
  out.string(text)
}
