import type { SQLOutputValue } from 'node:sqlite'
import type { TimelinePlace, TimelineRow, TimelineTable } from '../../topology/disk-table.ts'
import type { Database } from './database.ts'

export const TIMELINES = [
  'CREATE TABLE rows (key BLOB, time INTEGER, sequence INTEGER, value BLOB, timestamp INTEGER, PRIMARY KEY (key, time, sequence)) WITHOUT ROWID',
  'CREATE INDEX by_time ON rows (time, key, sequence)',
]

export function timelineTable({ prepare, attempt, close }: Database): TimelineTable {
  const columns = 'SELECT key, time, sequence, value, timestamp FROM rows'
  const range = prepare(`${columns} WHERE key = ? AND time BETWEEN ? AND ? ORDER BY time, sequence`)
  const set = prepare(
    'INSERT INTO rows VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp',
  )
  const remove = prepare('DELETE FROM rows WHERE key = ? AND time = ? AND sequence = ?')
  const first = prepare(`${columns} ORDER BY key, time, sequence LIMIT ?`)
  const after = prepare(`${columns} WHERE (key, time, sequence) > (?, ?, ?) ORDER BY key, time, sequence LIMIT ?`)
  const inTime = 'ORDER BY time, key, sequence LIMIT ?'
  const between = prepare(`SELECT key, time, sequence FROM rows WHERE time BETWEEN ? AND ? ${inTime}`)
  const behind = prepare(
    `SELECT key, time, sequence FROM rows WHERE (time, key, sequence) > (?, ?, ?) AND time <= ? ${inTime}`,
  )
  const next = prepare('SELECT min(time) AS time FROM rows WHERE time > ?')
  const last = prepare('SELECT max(time) AS time FROM rows')
  const count = prepare('SELECT count(*) AS n FROM rows')
  const rowsOf = (found: readonly Record<string, SQLOutputValue>[]) => found as unknown as TimelineRow[]
  return {
    range: (key, from, to) => rowsOf(attempt(() => range.all(key, whole(from), whole(to)))),
    set: ({ key, time, sequence }, value, timestamp) =>
      void attempt(() => set.run(key, time, sequence, value, timestamp)),
    delete: ({ key, time, sequence }) => void attempt(() => remove.run(key, time, sequence)),
    after: (row, limit) =>
      rowsOf(attempt(() => (row ? after.all(row.key, row.time, row.sequence, limit) : first.all(limit)))),
    between: (from, to, place, limit): TimelinePlace[] =>
      rowsOf(
        attempt(() =>
          place
            ? behind.all(place.time, place.key, place.sequence, whole(to), limit)
            : between.all(whole(from), whole(to), limit),
        ),
      ),
    nextTime: (than) => Number(attempt(() => next.get(whole(than)))!.time ?? Number.POSITIVE_INFINITY),
    lastTime: () => Number(attempt(() => last.get())!.time ?? -1),
    count: () => Number(attempt(() => count.get())!.n),
    close,
  }
}

/** A bound as an integer that SQLite and JavaScript agree on. */
const whole = (time: number): number =>
  Math.min(Math.max(Math.floor(time), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
