import { type ColumnEncoder, type TimeUnit, unfit } from './column-encoder.ts'
import { writeLongs } from './numbers.ts'
import type { TypeName } from './type-name.ts'

const DAY = 86_400_000
/** What Date32 and DateTime64 can hold: the years 1900 to 2299. */
const FIRST = Date.UTC(1900, 0, 1)
const LAST = Date.UTC(2300, 0, 1) - 1
/** The last instant of any DateTime64: stands for the end of a window without end. */
export const END_OF_TIME = LAST

/** Encoder of a date or time, or undefined for another type. `unit` is that of numbers; those of dates are days. */
export function timeEncoder({ name, text, literals }: TypeName, unit: TimeUnit): ColumnEncoder | undefined {
  switch (name) {
    case 'Date':
      return date(text, 0, 65_535)
    case 'Date32':
      return date(text, FIRST / DAY, Math.floor(LAST / DAY))
    case 'DateTime':
      return instant(text, 0, 2 ** 32 * 1000 - 1, unit)
    case 'DateTime64':
      // At nanoseconds, 64 bits end in 2262.
      return instant(text, FIRST, Number(literals[0]) > 8 ? 9_223_372_036_854 : LAST, unit)
    default:
      return undefined
  }
}

function date(name: string, min: number, max: number): ColumnEncoder {
  return {
    wire: 'Date32',
    nulls: 'always',
    empty: 0,
    emptySize: 4,
    convert(value) {
      const days = typeof value === 'number' ? value : Math.floor(milliseconds(value, name) / DAY)
      if (!Number.isInteger(days)) throw unfit(value, name, 'not a number of days')
      if (days < min || days > max) throw unfit(value, name, 'out of range')
      return days
    },
    write(values, out) {
      out.ensure(values.length * 4)
      for (let i = 0; i < values.length; i++, out.position += 4) {
        out.view.setInt32(out.position, values[i] as number, true)
      }
    },
  }
}

const DIGITS = { ms: 3, us: 6, ns: 9 } as const
const PER_MS = { ms: 1, us: 1000, ns: 1_000_000 } as const

/** A time travels at the precision of its numbers; the server casts it to that of the column. */
function instant(name: string, minMs: number, maxMs: number, unit: TimeUnit): ColumnEncoder {
  const scale = PER_MS[unit]
  const bigScale = BigInt(scale)
  return {
    wire: `DateTime64(${DIGITS[unit]}, 'UTC')`,
    nulls: 'always',
    empty: 0,
    emptySize: 8,
    convert(value) {
      if (typeof value === 'number' || typeof value === 'bigint') {
        const ms = typeof value === 'number' ? value / scale : Number(value / bigScale)
        if (typeof value === 'number' && !Number.isInteger(value)) throw unfit(value, name, `not whole ${unit}`)
        if (ms < minMs || ms > maxMs) throw unfit(value, name, 'out of range')
        return value
      }
      const ms = milliseconds(value, name)
      if (ms < minMs || ms > maxMs) throw unfit(value, name, 'out of range')
      return unit === 'ns' ? BigInt(ms) * bigScale : ms * scale
    },
    write: writeLongs,
  }
}

/** A Date, or a text in ISO 8601 (UTC where it names no zone), in ms. */
function milliseconds(value: unknown, name: string): number {
  if (value instanceof Date) {
    const ms = value.getTime()
    if (!Number.isNaN(ms)) return ms
  }
  if (typeof value === 'string') {
    const zoned = /[T ].*(Z|[+-]\d\d:?\d\d)$/.test(value) || !/[T ]/.test(value)
    const ms = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(zoned ? value : `${value.replace(' ', 'T')}Z`) : Number.NaN
    if (!Number.isNaN(ms)) return ms
  }
  throw unfit(value, name)
}
