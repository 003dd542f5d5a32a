import { isDeepStrictEqual } from 'node:util'

/** Whether two keys that a user's function gave are one. */
export const sameKey = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && a !== null && isDeepStrictEqual(a, b))
