import type { SQLOutputValue } from 'node:sqlite'
import type { DiskRow, DiskTable } from '../../topology/disk-table.ts'
import type { Database } from './database.ts'

export const ROWS = [
  'CREATE TABLE rows (start INTEGER, key BLOB, value BLOB, timestamp INTEGER, PRIMARY KEY (start, key)) WITHOUT ROWID',
]

export function rowTable({ prepare, attempt, close }: Database): DiskTable {
  const columns = 'SELECT start, key, value, timestamp FROM rows'
  const get = prepare(`${columns} WHERE start = ? AND key = ?`)
  const set = prepare(
    'INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp',
  )
  const remove = prepare('DELETE FROM rows WHERE start = ? AND key = ?')
  const removeAll = prepare('DELETE FROM rows WHERE start = ?')
  const first = prepare(`${columns} ORDER BY start, key LIMIT ?`)
  const after = prepare(`${columns} WHERE (start, key) > (?, ?) ORDER BY start, key LIMIT ?`)
  const range = prepare(
    `${columns} WHERE start = ? AND key >= coalesce(?, x'') AND (? IS NULL OR key <= ?) ORDER BY key`,
  )
  const counts = prepare('SELECT start, count(*) AS n FROM rows GROUP BY start')
  const rowsOf = (found: readonly Record<string, SQLOutputValue>[]) => found as unknown as DiskRow[]
  return {
    get: (start, key) => attempt(() => get.get(start, key)) as unknown as DiskRow | undefined,
    set: (start, key, value, timestamp) => void attempt(() => set.run(start, key, value, timestamp)),
    delete: (start, key) => void attempt(() => remove.run(start, key)),
    deleteAll: (start) => void attempt(() => removeAll.run(start)),
    after: (row, limit) => rowsOf(attempt(() => (row ? after.all(row.start, row.key, limit) : first.all(limit)))),
    range: (start, from = null as never, to = null as never) => rowsOf(attempt(() => range.all(start, from, to, to))),
    counts: () => new Map(attempt(() => counts.all()).map(({ start, n }) => [Number(start), Number(n)])),
    close,
  }
}
