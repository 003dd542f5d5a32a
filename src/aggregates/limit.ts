import { checkWhole } from '../options.ts'

export interface LimitOptions {
  /** At most so many are kept; what comes later is left out. Default: no limit, and state grows with the input. */
  readonly limit?: number
}

/** The limit, checked, and how it shows in `describe`. */
export function limitOf(name: string, { limit }: LimitOptions): { limit: number; kind: string } {
  if (limit === undefined) return { limit: Number.POSITIVE_INFINITY, kind: name }
  checkWhole(name, 'limit', limit, 1)
  return { limit, kind: `${name}(limit ${limit})` }
}
