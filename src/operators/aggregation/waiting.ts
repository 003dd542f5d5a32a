import type { Entry, StateStore } from '../../state/store.ts'
import type { ProcessorContext } from '../../topology/processor.ts'

/** The output of an aggregation on which it tells which windows wait for their close, where a bound is kept on them. */
export const WAITING = 'waiting'

/** What an aggregation tells of the windows that have no final result yet. */
export interface Waiting<E> {
  /** It is new, or holds something else than before. */
  changed(entry: E): void
  /** It has been given as final, or is no more. */
  gone(entry: E): void
  /** A record is done with: what is due has been given. */
  settle(): void
}

/**
 * Forwards entries and the store that they are in, or null for what waits no more.
 *
 * @returns undefined where nobody keeps a bound
 */
export function waitingWindows<E extends Entry<unknown, unknown>>(
  context: ProcessorContext,
  store: StateStore,
): Waiting<E> | undefined {
  if (!context.listens(WAITING)) return undefined
  const tell = context.forward(WAITING)
  // By the record in work; told once what it has closed is out, which makes room.
  const changed: E[] = []
  return {
    changed(entry) {
      if (entry.value === null) tell(entry, null, entry.timestamp)
      else changed.push(entry)
    },
    gone: (entry) => tell(entry, null, entry.timestamp),
    settle() {
      for (const entry of changed) tell(entry, store, entry.timestamp)
      changed.length = 0
    },
  }
}
