import { MillraceError } from '../errors.ts'
import type { SerdeContext } from './serde.ts'

/** The error for bytes that are not a value of the format. */
export function undecodable(context: SerdeContext, reason: string, cause?: unknown, hint?: string): MillraceError {
  return new MillraceError('UNDECODABLE_RECORD', `cannot decode the ${context.part}: ${reason}`, {
    topic: context.topic,
    cause,
    hint,
  })
}

/** The error for a value that the format has no bytes for. */
export function unencodable(context: SerdeContext, reason: string, cause?: unknown, hint?: string): MillraceError {
  return new MillraceError('UNENCODABLE_RECORD', `cannot encode the ${context.part}: ${reason}`, {
    topic: context.topic,
    cause,
    hint,
  })
}

/** A value as it is shown in an error: its kind, and itself where it is short. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `a string of ${value.length} characters` : `string ${JSON.stringify(value)}`
    case 'number':
    case 'boolean':
      return `${typeof value} ${Object.is(value, -0) ? '-0' : value}`
    case 'bigint':
      return `bigint ${value}n`
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      if (value instanceof Uint8Array) return `${value.length} bytes`
      return value.constructor === Object || !value.constructor ? 'an object' : `a ${value.constructor.name}`
    default:
      return typeof value
  }
}
