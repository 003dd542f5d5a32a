import { toError } from '../errors.ts'
import { readString } from './bytes.ts'
import { undecodable, unencodable } from './faults.ts'
import type { Serde } from './serde.ts'

/**
 * Plain JSON in UTF-8; what values are written as when no serde is declared. It is JSON and no more: a Date comes back
 * as a string, `NaN` as null, a property that is undefined not at all. Throws `UNENCODABLE_RECORD`, naming the place,
 * for a bigint, a cycle, or a value that has no JSON at all; `UNDECODABLE_RECORD` for bytes that are not JSON.
 *
 * @example
 * ```ts
 * stream('clicks', { key: string(), value: json<{ page: string }>() })
 * ```
 */
export function json<T>(): Serde<T> {
  return {
    format: 'json',
    anyTopic: true,
    open: (context) => ({
      encode(value, out) {
        let text: string | undefined
        try {
          text = JSON.stringify(value)
        } catch (error) {
          const hint = 'convert it first, or declare another serde'
          throw unencodable(context, obstacle(value, 'value', []) ?? toError(error).message, error, hint)
        }
        if (text === undefined) throw unencodable(context, `JSON has no form for ${typeof value}`)
        out.string(text)
      },
      decode(source, start, end) {
        try {
          return JSON.parse(readString(source, start, end))
        } catch (error) {
          throw undecodable(context, `not JSON: ${toError(error).message}`, error)
        }
      },
    }),
  }
}

/** The first thing in a value that JSON cannot express, for the message. Runs only after an encode has failed. */
function obstacle(value: unknown, path: string, above: readonly unknown[]): string | undefined {
  if (typeof value === 'bigint') return `${path} is a bigint, which JSON cannot express`
  if (typeof value !== 'object' || value === null) return undefined
  if (above.includes(value)) return `${path} contains itself`
  for (const [name, inner] of Object.entries(value)) {
    const found = obstacle(inner, Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`, [...above, value])
    if (found) return found
  }
  return undefined
}
