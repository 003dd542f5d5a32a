/** What JSON can hold. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain }

const HIDDEN = '(hidden)'
const SECRET = /passw|secret|token|credential|private|api.?key/i
const USER_INFO = /\/\/[^/@\s]+@/g

/**
 * Parameters of operators, stores and sinks as plain data: functions are left out, what JSON has no word for is named,
 * and what may be a secret is hidden. Adapters keep secrets out of their parameters by themselves; this is the second
 * lock.
 */
export function plainParameters(parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, Plain>> {
  const result: Record<string, Plain> = {}
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || typeof value === 'function' || typeof value === 'symbol') continue
    result[name] = SECRET.test(name) ? HIDDEN : plain(value)
  }
  return result
}

function plain(value: unknown): Plain {
  switch (typeof value) {
    case 'string':
      return value.replace(USER_INFO, `//${HIDDEN}@`)
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : value > 0 ? 'unlimited' : String(value)
    case 'object':
      if (value === null) return null
      if (Array.isArray(value)) return value.map(plain)
      return plainParameters(value as Record<string, unknown>)
    default:
      return String(value)
  }
}
