import { readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { makeDirectory } from '../../directories.ts'
import { MillraceError, toError } from '../../errors.ts'
import { checkWhole } from '../../options.ts'
import type { DiskRow, DiskState, DiskTable } from '../../topology/disk-table.ts'

export interface DiskStateOptions {
  /** Entries of one store in one task that stay in memory between two commits. Default 100,000. */
  readonly cacheEntries?: number
  /** Memory of one store in one task for pages of its file, in bytes. Default 64 MiB. */
  readonly pageCacheBytes?: number
}

/**
 * Keeps the entries of key-value and window stores on disk, for state that is larger than memory: a file for each store
 * and task, and in memory only what is in use. (Sessions, sliding windows and the buffers of joins stay in memory.)
 *
 * The files are a place to put things, not a copy to keep: what survives a crash is the changelog, and what makes a restart
 * quick is a snapshot (`millrace/snapshots`). Give each instance that runs at the same time a directory of its own, or let
 * them share one: files that a dead process left behind are removed. A full disk stops the application with `DISK_FULL`.
 *
 * @example
 * ```ts
 * await run(shop, { log, state: diskState('./data/state') })
 * ```
 */
export function diskState(directory: string, options: DiskStateOptions = {}): DiskState {
  const { cacheEntries = 100_000, pageCacheBytes = 64 * 1024 * 1024 } = options
  checkWhole('diskState', 'cacheEntries', cacheEntries, 1)
  checkWhole('diskState', 'pageCacheBytes', pageCacheBytes, 0)
  const root = resolve(directory)
  let tables = 0
  let prepared = false
  const open = new Set<DiskTable>()
  return {
    cacheEntries,
    table(task, store) {
      if (!prepared) prepare(root)
      prepared = true
      const file = join(root, `${process.pid}-${task}-${store}-${tables++}${ENDING}`)
      const table = sqliteTable(file, pageCacheBytes, () => open.delete(table))
      open.add(table)
      return table
    },
    close() {
      for (const table of open) table.close()
    },
  }
}

const ENDING = '.rows'

/** Makes the directory, and removes what dead processes left there. */
function prepare(root: string): void {
  try {
    makeDirectory(root)
    for (const name of readdirSync(root)) {
      const pid = Number.parseInt(name, 10)
      if (name.endsWith(ENDING) && !isAlive(pid)) rmSync(join(root, name), { force: true })
    }
  } catch (error) {
    throw new MillraceError('DATA_DIRECTORY', `cannot keep state in ${root}: ${toError(error).message}`, {
      cause: error,
      hint: 'give the user of this process a directory that it may write to',
    })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function sqliteTable(file: string, pageCacheBytes: number, onClose: () => void): DiskTable {
  const sqlite = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite')
  let database: DatabaseSync | undefined
  /** Turns SQLite's result codes (https://www.sqlite.org/rescode.html) into errors of ours. */
  const attempt = <T>(work: () => T): T => {
    try {
      return work()
    } catch (thrown) {
      const cause = toError(thrown)
      const full = (thrown as { errcode?: number }).errcode === 13 // SQLITE_FULL
      throw new MillraceError(full ? 'DISK_FULL' : 'DATA_DIRECTORY', `state on disk, ${file}: ${cause.message}`, {
        cause,
        hint: full
          ? 'free some space and start again: nothing is lost, state comes back from the changelog'
          : 'give the user of this process a directory that it may write to',
      })
    }
  }
  const prepared = attempt(() => {
    database = new sqlite.DatabaseSync(file)
    // Nothing of it must survive, so nothing is synced, and one transaction lasts for its whole life: pages go to the file
    // when they do not fit into the cache any more. The journal has only what was there when it began, which is nothing.
    for (const pragma of [
      'journal_mode = MEMORY',
      'synchronous = OFF',
      'locking_mode = EXCLUSIVE',
      `cache_size = -${Math.ceil(pageCacheBytes / 1024)}`,
    ]) {
      database.exec(`PRAGMA ${pragma}`)
    }
    database.exec(
      'CREATE TABLE rows (start INTEGER, key BLOB, value BLOB, timestamp INTEGER, PRIMARY KEY (start, key)) WITHOUT ROWID',
    )
    database.exec('BEGIN')
    const columns = 'SELECT start, key, value, timestamp FROM rows'
    return {
      get: database.prepare(`${columns} WHERE start = ? AND key = ?`),
      set: database.prepare(
        'INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, timestamp = excluded.timestamp',
      ),
      delete: database.prepare('DELETE FROM rows WHERE start = ? AND key = ?'),
      deleteAll: database.prepare('DELETE FROM rows WHERE start = ?'),
      first: database.prepare(`${columns} ORDER BY start, key LIMIT ?`),
      after: database.prepare(`${columns} WHERE (start, key) > (?, ?) ORDER BY start, key LIMIT ?`),
      range: database.prepare(
        `${columns} WHERE start = ? AND key >= coalesce(?, x'') AND (? IS NULL OR key <= ?) ORDER BY key`,
      ),
      counts: database.prepare('SELECT start, count(*) AS n FROM rows GROUP BY start'),
    }
  })
  const rowsOf = (found: readonly Record<string, SQLOutputValue>[]) => found as unknown as DiskRow[]
  return {
    get: (start, key) => attempt(() => prepared.get.get(start, key)) as unknown as DiskRow | undefined,
    set: (start, key, value, timestamp) => void attempt(() => prepared.set.run(start, key, value, timestamp)),
    delete: (start, key) => void attempt(() => prepared.delete.run(start, key)),
    deleteAll: (start) => void attempt(() => prepared.deleteAll.run(start)),
    after: (row, limit) =>
      rowsOf(attempt(() => (row ? prepared.after.all(row.start, row.key, limit) : prepared.first.all(limit)))),
    range: (start, from = null as never, to = null as never) =>
      rowsOf(attempt(() => prepared.range.all(start, from, to, to))),
    counts: () => new Map(attempt(() => prepared.counts.all()).map(({ start, n }) => [Number(start), Number(n)])),
    close() {
      database?.close()
      database = undefined
      rmSync(file, { force: true })
      onClose()
    },
  }
}
