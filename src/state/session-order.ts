import type { Keys } from './keys.ts'
import type { Session } from './session-store.ts'

export const endOf = ({ timestamp }: Session<unknown, unknown>): number => timestamp

/** Orders sessions by end, serialised key and start, as final results come out. */
export const compareSessions = <K>(keys: Keys<K>, a: Session<K, unknown>, b: Session<K, unknown>): number =>
  a.timestamp - b.timestamp || keys.compare(a.key, b.key) || a.start - b.start
