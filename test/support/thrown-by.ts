import { expect } from 'vitest'
import { MillraceError } from '../../src/errors.ts'

/** The error that a call throws at once. */
export function thrownBy(action: () => unknown): MillraceError {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('nothing was thrown')
}
