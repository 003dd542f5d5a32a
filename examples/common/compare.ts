import { isDeepStrictEqual } from 'node:util'

/** Where what came out is not what the plain computation says, one line each. */
export function differences<T>(
  what: string,
  actual: ReadonlyMap<string, T>,
  expected: ReadonlyMap<string, T>,
  mayBeMissing: (key: string) => boolean = () => false,
): string[] {
  const problems: string[] = []
  for (const [key, value] of actual) {
    const wanted = expected.get(key)
    if (wanted === undefined) problems.push(`${what} ${key} should not be there: ${JSON.stringify(value)}`)
    else if (!isDeepStrictEqual(value, wanted)) {
      problems.push(`${what} ${key}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(value)}`)
    }
  }
  for (const key of expected.keys()) {
    if (!actual.has(key) && !mayBeMissing(key)) problems.push(`${what} ${key} is missing`)
  }
  return problems
}
