import { isDeepStrictEqual } from 'node:util'
import type { Fixture, FixtureOutput, FixtureState } from './fixture.ts'

/** What our implementation did with a fixture's input. */
export interface Observed {
  readonly output: readonly FixtureOutput[]
  readonly finalState: readonly FixtureState[]
  readonly droppedAt: readonly (readonly [number, number])[]
}

/**
 * The first difference, in words, or undefined when there is none.
 *
 * @param ordered - results of different identities must come in the order of the fixture, too
 */
export function difference(fixture: Fixture, observed: Observed, ordered = false): string | undefined {
  const identify = ordered ? () => 'all together' : identityOf
  for (let i = 0; i < fixture.input.length; i++) {
    const expected = byIdentity(of(fixture.output, i), identify)
    const actual = byIdentity(of(observed.output, i), identify)
    for (const identity of new Set([...expected.keys(), ...actual.keys()])) {
      const wrong = inOrder(expected.get(identity) ?? [], actual.get(identity) ?? [])
      if (wrong) return `after input ${i}, ${identity}: ${wrong}`
    }
  }
  return (
    differentState(fixture.finalState, observed.finalState) ??
    differentDrops(fixture.droppedAt ?? [], observed.droppedAt)
  )
}

const of = (output: readonly FixtureOutput[], input: number) => output.filter((of) => of.afterInput === input)

const identityOf = ({ branch, key, window }: Partial<FixtureOutput>): string =>
  JSON.stringify([branch ?? null, key ?? null, window ? [window.start, window.end] : null])

function byIdentity(
  results: readonly FixtureOutput[],
  identify: (result: FixtureOutput) => string,
): Map<string, FixtureOutput[]> {
  const groups = new Map<string, FixtureOutput[]>()
  for (const result of results) {
    const identity = identify(result)
    const group = groups.get(identity)
    if (group) group.push(result)
    else groups.set(identity, [result])
  }
  return groups
}

/** Results of one identity must come in order; those that may be left out may be missing. */
function inOrder(expected: readonly FixtureOutput[], actual: readonly FixtureOutput[]): string | undefined {
  let next = 0
  for (const want of expected) {
    const got = actual[next]
    if (got && same(got, want)) next++
    else if (!want.redundant && !want.duplicate) return `expected ${show(want)}, got ${got ? show(got) : 'nothing'}`
  }
  return next < actual.length ? `expected nothing more, got ${show(actual[next])}` : undefined
}

const same = (a: FixtureOutput, b: FixtureOutput): boolean =>
  identityOf(a) === identityOf(b) && isDeepStrictEqual([a.value, a.timestamp], [b.value, b.timestamp])

const show = (result: FixtureOutput): string =>
  `${identityOf(result)} ${JSON.stringify(result.value)}@${result.timestamp}`

function differentState(
  expected: readonly FixtureState[] | undefined,
  actual: readonly FixtureState[],
): string | undefined {
  if (expected === undefined) return undefined
  const want = new Map(expected.map((entry) => [identityOf(entry), entry]))
  const got = new Map(actual.map((entry) => [identityOf(entry), entry]))
  for (const identity of new Set([...want.keys(), ...got.keys()])) {
    const a = want.get(identity)
    const b = got.get(identity)
    const timestamp = a?.timestamp === undefined ? undefined : b?.timestamp
    if (!a || !b || !isDeepStrictEqual([a.value, a.timestamp], [b.value, timestamp])) {
      return `final state of ${identity}: expected ${JSON.stringify(a)}, got ${JSON.stringify(b)}`
    }
  }
  return undefined
}

function differentDrops(
  expected: readonly (readonly [number, number])[],
  actual: readonly (readonly [number, number])[],
): string | undefined {
  return isDeepStrictEqual(expected, actual)
    ? undefined
    : `dropped [input, count]: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`
}
