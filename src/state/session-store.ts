import { sessionStoreKey } from '../serde/store-keys.ts'
import type { StoreSpec } from '../topology/store-spec.ts'
import { changes, newEntry, restoreEntry } from './changes.ts'
import { type Closings, memoryClosings } from './closings.ts'
import type { Pageable } from './disk/paged.ts'
import { pagedSessionStore } from './disk/paged-sessions.ts'
import { type Keys, keysOf } from './keys.ts'
import { compareSessions, endOf } from './session-order.ts'
import type { Entry, StateStore, ValueCodec } from './store.ts'
import { timeIndex } from './time-index.ts'
import type { WindowStoreOptions } from './window-store.ts'

/** A session: it starts at `start`, and ends at `timestamp`, the time of its newest record. */
export interface Session<K, A> extends Entry<K, A> {
  start: number
}

/** Sessions per key, in an array ordered by end: each record works on the sessions of its key that are near it. */
export interface SessionStore<K, A> extends StateStore {
  /** Sessions of a key, ascending by end; do not change the array. */
  sessions(key: K): readonly Session<K, A>[]
  create(key: K, start: number, end: number, value: A): Session<K, A>
  /**
   * Gives a session wider bounds, in place. Under its old ones it is deleted from the changelog, and returned as an
   * entry with value null that is among `changed`, if it was there.
   */
  widen(session: Session<K, A>, start: number, end: number): Session<K, A> | undefined
  touch(session: Session<K, A>): void
  /** Deletes a session; it is still among `changed` until the next flush, with value null. */
  remove(session: Session<K, A>): void
  changed(): readonly Session<K, A>[]
  /** Forgets the sessions that ended before `end`, in the changelog too; it may keep some a little longer. */
  expire(end: number): void
  /** Sessions that wait for their close, by their end; made once. Given in the order of end, serialised key and start. */
  closings(): Closings<Session<K, A>>
}

/** @param span - about how far apart in time sessions are forgotten together, ms */
export function sessionStore<K, A>(
  options: WindowStoreOptions<K, A> & { readonly span: number },
): StoreSpec<SessionStore<K, A>> {
  return {
    name: options.name,
    kind: 'session',
    parameters: options.parameters ?? {},
    changelog: true,
    create(environment) {
      const { disk } = environment
      const codec = environment.open(options.key, 'key')
      const keys = keysOf(codec)
      const values = options.value(environment)
      const make = () => memorySessionStore(keys, sessionStoreKey(codec), values, Math.max(1, options.span))
      return disk ? pagedSessionStore({ disk, keys, values, make }) : make()
    },
  }
}

const NONE: readonly never[] = []

function memorySessionStore<K, A>(
  keys: Keys<K>,
  layout: ReturnType<typeof sessionStoreKey<K>>,
  values: ValueCodec<A>,
  span: number,
): SessionStore<K, A> & Pageable<K> {
  const byKey = new Map<unknown, Session<K, A>[]>()
  const byEnd = timeIndex<Session<K, A>>(span)
  const { touch, list, flush, writeEntry } = changes<K, A>(
    ({ key, start, timestamp }, out) => layout.encode(key, start, timestamp, out),
    values,
  )
  let size = 0

  /** Puts a session into the array of its key, which is nearly always at the end. */
  const place = (sessions: Session<K, A>[], session: Session<K, A>) => {
    let at = sessions.length
    while (at > 0 && after(sessions[at - 1], session.timestamp, session.start)) at--
    if (at === sessions.length) sessions.push(session)
    else sessions.splice(at, 0, session)
  }
  const create = (key: K, start: number, end: number, value: A): Session<K, A> => {
    const identity = keys.identity(key)
    let sessions = byKey.get(identity)
    if (sessions === undefined) {
      byKey.set(typeof identity === 'string' ? keys.keep(identity as K) : identity, (sessions = []))
    }
    const session: Session<K, A> = newEntry(sessions.length ? sessions[0].key : keys.keep(key), start, value, end)
    place(sessions, session)
    byEnd.add(session, end)
    size++
    return session
  }
  const unlink = (session: Session<K, A>) => {
    const identity = keys.identity(session.key)
    const sessions = byKey.get(identity)
    const at = sessions?.lastIndexOf(session) ?? -1
    if (!sessions || at < 0) return
    if (sessions.length === 1) byKey.delete(identity)
    else sessions.splice(at, 1)
    byEnd.remove(session, session.timestamp)
    size--
  }

  function* all() {
    // A copy: a snapshot walks over it while commits take sessions out.
    for (const sessions of byKey.values()) yield* [...sessions]
  }
  return {
    get size() {
      return size
    },
    sessions: (key) => byKey.get(keys.identity(key)) ?? NONE,
    create,
    widen(session, start, end) {
      const { start: oldStart, timestamp: oldEnd, logged } = session
      if (start === oldStart && end === oldEnd) return undefined
      let left: Session<K, A> | undefined
      if (logged) {
        left = newEntry<K, A>(session.key, oldStart, session.value!, oldEnd)
        left.value = null
        left.logged = true
        left.given = session.given
        touch(left)
        session.logged = false
        session.given = null
      }
      session.start = start
      if (end !== oldEnd) {
        session.timestamp = end
        byEnd.move(session, oldEnd, end)
        const sessions = byKey.get(keys.identity(session.key))!
        if (sessions.at(-1) !== session) {
          sessions.splice(sessions.lastIndexOf(session), 1)
          place(sessions, session)
        }
      }
      return left
    },
    touch,
    remove(session) {
      session.value = null
      unlink(session)
      touch(session)
    },
    changed: list as () => readonly Session<K, A>[],
    all,
    expire(before) {
      for (const session of byEnd.before(before)) {
        session.value = null
        unlink(session)
        if (session.logged) touch(session)
      }
    },
    closings: () => memoryClosings(all, endOf, (a, b) => compareSessions(keys, a, b)),
    unload(key) {
      const identity = keys.identity(key)
      const sessions = byKey.get(identity)
      if (sessions === undefined) return
      for (const session of sessions) byEnd.remove(session, session.timestamp)
      size -= sessions.length
      byKey.delete(identity)
    },
    flush,
    writeEntry,
    restore(source, keyStart, keyEnd, valueStart, valueEnd) {
      const key = layout.key(source, keyStart, keyEnd)
      const start = layout.windowStart(source, keyEnd)
      const end = layout.windowEnd(source, keyEnd)
      const found = byKey.get(keys.identity(key))?.find((other) => other.start === start && other.timestamp === end)
      if (valueStart < 0) {
        if (found) unlink(found)
        return
      }
      const value = values.decode(source, valueStart, valueEnd)
      restoreEntry(found ?? create(key, start, end, value), value, end)
    },
  }
}

const after = (session: Session<unknown, unknown>, end: number, start: number): boolean =>
  session.timestamp > end || (session.timestamp === end && session.start > start)
