import { MillraceError } from './errors.ts'

/** Throws `INVALID_OPTION` unless the value is a whole number from `least` to `most`. */
export function checkWhole(owner: string, option: string, value: number, least: number, most = Infinity): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
  throw new MillraceError('INVALID_OPTION', `${owner}: ${option} is ${String(value)}`, {
    hint: `give ${option} as a whole number ${range}`,
  })
}
