import { MillraceError } from '../../errors.ts'
import { checkWhole } from '../../options.ts'

/** How much may be held back. */
export interface Bounds {
  readonly maxRecords: number
  readonly maxBytes: number
}

/** Throws `INVALID_OPTION` for a bound that is not a whole number. */
export function boundsOf(operator: string, options: Partial<Bounds>): Bounds {
  const { maxRecords = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = options
  for (const [name, bound] of Object.entries({ maxRecords, maxBytes })) {
    if (bound !== Number.POSITIVE_INFINITY) checkWhole(operator, name, bound, 0)
  }
  return { maxRecords, maxBytes }
}

/** For `describe`: those that were given. */
export function describeBounds({ maxRecords, maxBytes }: Partial<Bounds>): Partial<Bounds> {
  return { ...(maxRecords !== undefined && { maxRecords }), ...(maxBytes !== undefined && { maxBytes }) }
}

/** What stops the application. */
export function bufferFull(
  operator: string,
  node: string,
  records: number,
  bytes: number,
  hint: string,
): MillraceError {
  const size = bytes > 0 ? ` (${bytes} bytes)` : ''
  return new MillraceError('BUFFER_FULL', `${operator} holds ${records} records${size}, more than it may`, {
    node,
    hint,
  })
}
