import { compileEncoder } from '../../serde/avro/encoder.ts'
import { explain } from '../../serde/avro/explain.ts'
import type { AvroType } from '../../serde/avro/types.ts'
import type { ByteWriter } from '../../serde/bytes.ts'
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
export function rowEncoder({ value: type, metadata }: FileSchema): RowEncoder {
  const json = type === 'json'
  const encodeValue = json ? encodeJson : avroEncoder(type)
  return (key, value, timestamp, partition, offset, out) => {
    const start = out.position
    try {
      if (json) writeTextOrNull(out, keyText(key))
      encodeValue(value, out)
      if (!metadata) return
      if (!json) writeTextOrNull(out, keyText(key))
      writeLong(out, timestamp)
      writeLong(out, partition)
      writeLong(out, offset)
    } catch (error) {
      out.position = start
      throw error
    }
  }
}

function avroEncoder(type: AvroType): (value: unknown, out: ByteWriter) => void {
  const encode = compileEncoder<unknown>(type, false)
  return (value, out) => {
    try {
      encode(value, out)
    } catch (cause) {
      // Says at which field; the generated code says only that something is wrong.
      throw new TypeError(explain(type, value) ?? String(cause), { cause })
    }
  }
}

function encodeJson(value: unknown, out: ByteWriter): void {
  const text = json(value)
  if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON`)
  writeText(out, text)
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
