import type { LogicalName, LogicalType, PrimitiveName } from './types.ts'

/*
 * What values of logical types are in JavaScript. Those over int and long stay the number that Avro stores (cheap, and
 * in the order of time); only what a number cannot hold is something else:
 *
 *   date                      days since 1970-01-01, number
 *   time-millis, -micros      since midnight, number
 *   timestamp-millis, -micros since 1970-01-01T00:00Z, number (micros are exact until the year 2255)
 *   timestamp-nanos           bigint
 *   local-timestamp-*         like timestamp-*, in no particular time zone
 *   uuid                      text, on string as on fixed(16)
 *   decimal                   exact text with `scale` digits after the point, '12.30', on bytes as on fixed
 *   duration                  the 12 bytes
 */
const over: Record<LogicalName, readonly (PrimitiveName | 'fixed')[]> = {
  decimal: ['bytes', 'fixed'],
  uuid: ['string', 'fixed'],
  date: ['int'],
  'time-millis': ['int'],
  'time-micros': ['long'],
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  'timestamp-nanos': ['long'],
  'local-timestamp-millis': ['long'],
  'local-timestamp-micros': ['long'],
  'local-timestamp-nanos': ['long'],
  duration: ['fixed'],
}

/** The logical type in a schema's attributes, if it is known and fits what it is on; an invalid one is ignored. */
export function checkedLogical(
  attributes: { readonly [name: string]: unknown },
  kind: PrimitiveName | 'fixed',
  size = 0,
): LogicalType | undefined {
  const name = attributes.logicalType as LogicalName
  if (typeof name !== 'string' || !Object.hasOwn(over, name) || !over[name].includes(kind)) return undefined
  if (name === 'uuid') return kind === 'fixed' && size !== 16 ? undefined : { name }
  if (name === 'duration') return size === 12 ? { name } : undefined
  if (name !== 'decimal') return { name }
  const { precision, scale = 0 } = attributes
  if (!Number.isInteger(precision) || !Number.isInteger(scale)) return undefined
  const digits = precision as number
  if (digits < 1 || (scale as number) < 0 || (scale as number) > digits) return undefined
  if (kind === 'fixed' && digits > digitsIn(size)) return undefined
  return { name, precision: digits, scale: scale as number }
}

/** Decimal digits that always fit into a two's complement number of so many bytes. */
function digitsIn(bytes: number): number {
  return Math.floor((bytes * 8 - 1) * Math.log10(2))
}

/** True for longs that are bigints in any case: nanoseconds since 1970 have passed 2^53 in April 1970. */
export function isNanos(logical: LogicalType | undefined): boolean {
  return logical?.name.endsWith('-nanos') ?? false
}

/**
 * Why a value of one logical type must not be read as one of another, or undefined if it may: decimals of another
 * scale (Avro 1.12, "Schema Resolution"), and times in another unit, which would be wrong by factors of a thousand.
 */
export function logicalMismatch(writer: LogicalType | undefined, reader: LogicalType | undefined): boolean {
  if (!writer || !reader) return false
  if (writer.name === 'decimal' && reader.name === 'decimal') return writer.scale !== reader.scale
  const unit = (name: string) => (name === 'date' ? 'days' : /-(millis|micros|nanos)$/.exec(name)?.[1])
  return unit(writer.name) !== unit(reader.name)
}
