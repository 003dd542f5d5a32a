import { MillraceError } from '../errors.ts'

/** Throws `INVALID_OPTION` unless the value is a whole number of at least `least`. */
export function checkWhole(owner: string, option: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new MillraceError('INVALID_OPTION', `${owner}: ${option} is ${String(value)}`, {
    hint: `give ${option} as a whole number of at least ${least}, such as seconds(10)`,
  })
}
