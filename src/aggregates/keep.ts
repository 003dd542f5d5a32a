/**
 * A value as it may be kept for long: strings and bytes in it no longer hold on to, or share, the batch that they were
 * read from. Copies plain objects and arrays; instances of classes stay as they are.
 */
export function keep<T>(value: T): T {
  if (typeof value === 'string') return keepText(value) as T
  return typeof value === 'object' && value !== null ? (keepObject(value) as T) : value
}

function keepObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(keep)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: Record<string, unknown> = { ...value }
  for (const name in copy) {
    const field = copy[name]
    if (typeof field === 'string' || typeof field === 'object') copy[name] = keep(field)
  }
  return copy
}

/** Texts are copied through here: no buffer is made for each. */
const scratch = Buffer.allocUnsafeSlow(4096)

/**
 * A copy of a text that does not hold on to the batch it was cut from: V8 keeps a substring of 13 or more characters as a view
 * of the whole (SlicedString::kMinLength in its objects/string.h).
 */
function keepText(text: string): string {
  const { length } = text
  if (length < 13) return text
  if (length <= scratch.length) {
    scratch.latin1Write(text, 0)
    const copy = scratch.latin1Slice(0, length)
    if (copy === text) return copy
  }
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
