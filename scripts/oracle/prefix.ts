/** The text before the first ':' of a fixture's value; null if there is none. */
export function prefixOf(value: string | number | null): string | null {
  const text = String(value)
  const end = text.indexOf(':')
  return end < 0 ? null : text.slice(0, end)
}
