import { MillraceError } from '../errors.ts'
import type { ByteWriter } from '../serde/bytes.ts'
import { shown } from '../serde/faults.ts'
import type { AggregateState } from './aggregate.ts'
import { StateReader, writeSized, writeVarint } from './state-reader.ts'

// One byte before each value says what it is. Part of the changelog's format: never renumber.
const NULL = 0
const UNDEFINED = 1
const FALSE = 2
const TRUE = 3
const NUMBER = 4
/** A whole number from 0 to 2^53 - 1. */
const NATURAL = 5
const STRING = 6
const BIGINT = 7
const DATE = 8
const BYTES = 9
const ARRAY = 10
const OBJECT = 11
const MAP = 12
const SET = 13
/** A string with half a surrogate pair in it, which UTF-8 cannot say. */
const STRING_16 = 14

const DEEPEST = 500

/** Any plain data, in a compact binary form: like JSON, but nothing that it takes is changed on the way. */
export function plainState<A>(kind: string): AggregateState<A> {
  return {
    encode: (value, out) => writePlain(out, value, kind),
    decode(source, start, end) {
      const reader = new StateReader(kind, source, start, end)
      const value = readPlain(reader) as A
      reader.finish()
      return value
    },
  }
}

/** Writes a value so that `readPlain` knows where it ends. Throws `UNENCODABLE_RECORD` for what is no plain data. */
export function writePlain(out: ByteWriter, value: unknown, kind: string, depth = 0): void {
  switch (typeof value) {
    case 'undefined':
      out.uint8(UNDEFINED)
      break
    case 'boolean':
      out.uint8(value ? TRUE : FALSE)
      break
    case 'string':
      if (value.isWellFormed()) {
        out.uint8(STRING)
        writeText(out, value)
      } else writeBytes(out, STRING_16, Buffer.from(value, 'utf16le'))
      break
    case 'bigint':
      out.uint8(BIGINT)
      writeText(out, value.toString())
      break
    case 'number':
      if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
        out.uint8(NATURAL)
        writeVarint(out, value)
      } else {
        out.uint8(NUMBER)
        out.float64(value)
      }
      break
    case 'object':
      if (depth === DEEPEST) throw unencodable(kind, 'a value that contains itself, or is nested too deeply')
      if (value === null) out.uint8(NULL)
      else writeObject(out, value, kind, depth + 1)
      break
    default:
      throw unencodable(kind, shown(value))
  }
}

function writeObject(out: ByteWriter, value: object, kind: string, depth: number): void {
  const write = (item: unknown) => writePlain(out, item, kind, depth)
  const begin = (tag: number, length: number) => {
    out.uint8(tag)
    writeVarint(out, length)
  }
  if (Array.isArray(value)) {
    begin(ARRAY, value.length)
    for (let i = 0; i < value.length; i++) write(value[i])
  } else if (value instanceof Uint8Array) {
    writeBytes(out, BYTES, value)
  } else if (value instanceof Date) {
    out.uint8(DATE)
    out.float64(value.getTime())
  } else if (value instanceof Map) {
    begin(MAP, value.size)
    for (const [key, item] of value) {
      write(key)
      write(item)
    }
  } else if (value instanceof Set) {
    begin(SET, value.size)
    for (const item of value) write(item)
  } else {
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) throw unencodable(kind, shown(value))
    const fields = Object.entries(value)
    begin(OBJECT, fields.length)
    for (const [name, item] of fields) {
      writeText(out, name)
      write(item)
    }
  }
}

/** Reads what `writePlain` wrote. */
export function readPlain(reader: StateReader): unknown {
  const tag = reader.uint8()
  switch (tag) {
    case NULL:
      return null
    case UNDEFINED:
      return undefined
    case FALSE:
      return false
    case TRUE:
      return true
    case NUMBER:
      return reader.float64()
    case NATURAL:
      return reader.varint()
    case STRING:
      return readText(reader)
    case BIGINT:
      return readBigint(reader)
    case DATE:
      return new Date(reader.float64())
    case STRING_16:
      return Buffer.from(readBytes(reader)).toString('utf16le')
    case BYTES:
      return readBytes(reader)
    case ARRAY:
      return readItems(reader)
    case SET:
      return new Set(readItems(reader))
    case MAP: {
      const map = new Map<unknown, unknown>()
      for (let left = reader.varint(); left > 0; left--) map.set(readPlain(reader), readPlain(reader))
      return map
    }
    case OBJECT: {
      const fields: [string, unknown][] = []
      for (let left = reader.varint(); left > 0; left--) fields.push([readText(reader), readPlain(reader)])
      return Object.fromEntries(fields)
    }
    default:
      throw reader.fault(`${tag} is no kind of value`)
  }
}

function readItems(reader: StateReader): unknown[] {
  const items: unknown[] = []
  for (let left = reader.varint(); left > 0; left--) items.push(readPlain(reader))
  return items
}

function writeBytes(out: ByteWriter, tag: number, bytes: Uint8Array): void {
  out.uint8(tag)
  writeVarint(out, bytes.length)
  out.raw(bytes)
}

/** A copy: the source is reused. */
function readBytes(reader: StateReader): Uint8Array {
  const length = reader.varint()
  const at = reader.advance(length)
  return new Uint8Array(reader.source.buffer.subarray(at, at + length))
}

function writeText(out: ByteWriter, text: string): void {
  writeSized(out, () => out.string(text))
}

/** Not a substring of the source's text, which it would keep in memory as long as the accumulator. */
function readText(reader: StateReader): string {
  const length = reader.varint()
  const at = reader.advance(length)
  return reader.source.buffer.utf8Slice(at, at + length)
}

function readBigint(reader: StateReader): bigint {
  const digits = readText(reader)
  if (!/^-?\d+$/.test(digits)) throw reader.fault('a bigint has other characters than digits')
  return BigInt(digits)
}

function unencodable(kind: string, what: string): MillraceError {
  return new MillraceError('UNENCODABLE_RECORD', `the state of ${kind} has ${what} in it, which is no plain data`, {
    hint: 'make the accumulator of plain data, or give it a `state` of its own',
  })
}
