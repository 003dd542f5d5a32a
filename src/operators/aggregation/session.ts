import type { Aggregate } from '../../aggregates/aggregate.ts'
import { isNeutral } from '../../aggregates/claims.ts'
import type { Windowed } from '../../record.ts'
import type { Session, SessionStore } from '../../state/session-store.ts'
import type { Entry } from '../../state/store.ts'
import type { ProcessorFactory } from '../../topology/processor.ts'
import type { StoreSpec } from '../../topology/store-spec.ts'
import type { SessionWindows } from '../../windows/windows.ts'
import { results } from './results.ts'
import { waitingWindows } from './waiting.ts'

/**
 * Aggregation in sessions [first, last], both ends inclusive, as in Kafka Streams (KStreamSessionWindowAggregate): a
 * record and every session at most `gap` away from it become one session.
 *
 * Where final results are listened to, a session that has been given as final is sealed: it merges no more, and a record
 * that reaches sealed sessions alone is late.
 *
 * @param retention - how long a session is kept after no record can reach it any more, in ms of stream time
 */
export function session<K, V, A, R>(
  aggregate: Omit<Aggregate<V, A, R>, 'state'>,
  { gap, grace }: SessionWindows,
  spec: StoreSpec<SessionStore<K, A>>,
  retention: number,
): ProcessorFactory {
  const neutral = isNeutral(aggregate)
  const merge = aggregate.merge!
  // A record may be grace + gap late, and reaches a session that ended a gap before it.
  const horizon = 2 * gap + grace + retention
  return (context) => {
    const store = context.store(spec)
    const time = context.streamTime()
    const keyOf = ({ key, start, timestamp }: Entry<K, A>): Windowed<K> => ({ key, window: { start, end: timestamp } })
    const give = results<K, A, R>(context, aggregate, keyOf)
    const next = context.forward()
    const late = context.forward('late')
    const atOnce = context.emit === 'update'
    const waiting = waitingWindows<Session<K, A>>(context, store)
    const closing = context.listens('final') ? finalResults() : undefined
    /** The sessions that the record in work merges with, ascending; one array for the task. */
    const reached: Session<K, A>[] = []

    const process = (key: K, value: V, timestamp: number) => {
      if (key === null) return context.drop('null-key')
      const closed = time.observe(timestamp) - grace - gap
      const sessions = store.sessions(key)
      // What has expired takes no part, whether a commit has cleared it away yet or not.
      const oldest = Math.max(timestamp - gap, time.closing - horizon)
      const sealedUpTo = closing === undefined ? -1 : closing.givenUpTo
      let sealed = false
      reached.length = 0
      for (let i = firstEndingAt(sessions, oldest); i < sessions.length; i++) {
        const session = sessions[i]
        if (session.start > timestamp + gap) {
          if (session.timestamp > sealedUpTo) break
        } else if (session.timestamp > sealedUpTo) reached.push(session)
        else sealed = true
      }
      let start = timestamp
      let end = timestamp
      for (const session of reached) {
        if (session.start < start) start = session.start
        if (session.timestamp > end) end = session.timestamp
      }
      if (end < closed || (sealed && reached.length === 0)) {
        context.drop('late')
        late(key, value, timestamp)
        return
      }
      for (const session of reached) give.before(session)
      const accumulator = aggregate.add(begun(), value, timestamp)
      if (atOnce && (start < timestamp || end > timestamp)) {
        for (const session of reached) next(keyOf(session), null, session.timestamp, session.given as R | null)
      }
      put(key, start, end, accumulator)
      closing?.giveDue()
      waiting?.settle()
    }

    /**
     * What the record is added to. Several sessions are merged into a fresh accumulator: they stay as they are until
     * `add`, which may throw, has gone well.
     */
    const begun = (): A => {
      if (neutral && reached.length === 1) return reached[0].value!
      let accumulator = aggregate.init()
      for (const session of reached) accumulator = merge(accumulator, session.value!)
      return accumulator
    }

    /** The new session takes the place of the newest of those it was made of. */
    const put = (key: K, start: number, end: number, accumulator: A) => {
      const kept = reached.pop()
      for (const session of reached) {
        store.remove(session)
        waiting?.gone(session)
      }
      let entry: Session<K, A>
      if (kept === undefined) {
        entry = store.create(key, start, end, accumulator)
        closing?.expect(entry)
      } else {
        if (atOnce && start < end) kept.given = null
        entry = kept
        // Under its old bounds it waits no more.
        waiting?.gone(entry)
        store.widen(entry, start, end)
        entry.value = accumulator
      }
      if (accumulator === null) store.remove(entry)
      else store.touch(entry)
      give.after(entry)
      waiting?.changed(entry)
    }

    function finalResults() {
      const final = context.forward('final')
      const due = store.closings()
      const closesBefore = () => time.closing - gap - grace - 1
      const closing = {
        givenUpTo: -1,
        expect: due.expect,
        restored() {
          closing.givenUpTo = Math.max(-1, closesBefore())
          due.restart(closing.givenUpTo)
          if (waiting === undefined) return
          for (const session of store.all() as Iterable<Session<K, A>>) {
            if (session.timestamp > closing.givenUpTo) waiting.changed(session)
          }
          waiting.settle()
        },
        giveDue() {
          const upTo = closesBefore()
          if (upTo <= closing.givenUpTo) return
          closing.givenUpTo = upTo
          if (due.next > upTo) return
          for (const session of due.take(upTo)) {
            waiting?.gone(session)
            final(keyOf(session), aggregate.result(session.value!), session.timestamp)
          }
        },
      }
      return closing
    }

    return {
      inputs: [process],
      restored: () => closing?.restored(),
      advance: () => closing?.giveDue(),
      flush() {
        // The record that closed them may have failed.
        closing?.giveDue()
        const changed = store.changed()
        // Sessions that have been merged away are deleted before those they went into come out.
        give.flush(changed.filter(({ value }) => value === null))
        give.flush(changed.filter(({ value }) => value !== null))
        store.expire(time.closing - horizon)
      },
    }
  }
}

/** Index of the first session that ends at `end` or later. */
function firstEndingAt(sessions: readonly Session<unknown, unknown>[], end: number): number {
  let at = sessions.length
  while (at > 0 && sessions[at - 1].timestamp >= end) at--
  return at
}
