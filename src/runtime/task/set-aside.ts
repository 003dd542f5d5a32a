import { MillraceError, RejectedRecord } from '../../errors.ts'
import { add, type TaskCounters } from './counters.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { TaskOptions, TaskPolicies } from './task-interface.ts'

/** A record that cannot be processed, and which policy it comes under. */
export type SetAside = (kind: keyof TaskPolicies, error: Error, found: Omit<DeadLetter, 'reason' | 'error'>) => void

/**
 * No record is to blame: not the one that moved time on or ended a window, not the first that meets a schema that cannot be used. What is too
 * large to be written has been judged already.
 */
const NOBODYS_FAULT: ReadonlySet<string> = new Set([
  'TIMER_FAILED',
  'MERGE_FAILED',
  'INVALID_SCHEMA',
  'BUFFER_FULL',
  'STORE_FULL',
  'RECORD_TOO_LARGE',
])

export const isNobodysFault = (error: Error): boolean => error instanceof MillraceError && NOBODYS_FAULT.has(error.code)

/** By policy: throws, writes a dead letter, or counts. Without a writer there are no dead letters. */
export function setAsideBy(
  options: Pick<TaskOptions, 'policies' | 'onSkip' | 'onDeadLetter'>,
  counters: TaskCounters,
  write: ((letter: DeadLetter) => void) | undefined,
): SetAside {
  return (kind, error, found) => {
    const rejected = error instanceof RejectedRecord
    const policy = rejected ? 'dead-letter' : options.policies[kind]
    if (policy === 'fail' || (policy === 'dead-letter' && write === undefined)) throw failure(kind, error, found)
    const letter: DeadLetter = {
      ...found,
      reason: rejected ? error.reason : error instanceof MillraceError ? error.code : 'OPERATOR_FAILED',
      error,
    }
    if (policy === 'skip') {
      add(counters.skipped, letter.reason)
      options.onSkip?.(letter)
    } else {
      add(counters.deadLettered, letter.reason)
      write!(letter)
      options.onDeadLetter?.(letter)
    }
  }
}

function failure(kind: keyof TaskPolicies, error: Error, { origin }: Pick<DeadLetter, 'origin'>): Error {
  // Says for itself where it was going.
  if (kind === 'refused') return error
  const [code, what, mend] =
    kind === 'undecodable'
      ? (['UNDECODABLE_RECORD', 'a record cannot be decoded', 'the producer or the serde'] as const)
      : (['OPERATOR_FAILED', 'an operator threw', 'the function'] as const)
  return new MillraceError(code, `${what}: ${error.message}`, {
    ...origin,
    cause: error,
    hint: `mend ${mend}, or set the policy: errors: { ${kind}: 'dead-letter' }`,
  })
}
