import { MillraceError } from '../../errors.ts'

/** What V8 says when a Map or Set that has 2^24 entries, 16.7 million, is to take one more. */
const SAYS = /^(Map|Set) maximum size exceeded$/
/** No store of fewer entries has a full Map: it is one of the user's own. */
const LARGE = 2 ** 23

const HINT = 'keep the state on disk (the option state), or make more partitions: each is a task with stores of its own'

interface Sized {
  readonly name: string
  readonly store: { readonly size: number }
}

/**
 * What is thrown where a store in memory has as many entries as a Map of V8 takes: `STORE_FULL`, which names it. Anything else
 * is given back as it is.
 *
 * @param where - the task, for the message
 */
export function storeFull(thrown: unknown, where: string, stores: readonly Sized[], hint = HINT): unknown {
  if (!isFullMap(thrown) && !(thrown instanceof MillraceError && isFullMap(thrown.cause))) return thrown
  const sized = stores.map(({ name, store }) => ({ name, size: store.size }))
  const largest = sized.reduce((a, b) => (b.size > a.size ? b : a), { name: '', size: 0 })
  if (largest.size < LARGE) return thrown
  return new MillraceError(
    'STORE_FULL',
    `store ${largest.name} of ${where} has ${largest.size} entries in memory, and V8 has no larger Map`,
    { node: largest.name, cause: thrown, hint },
  )
}

const isFullMap = (thrown: unknown) => thrown instanceof RangeError && SAYS.test(thrown.message)
