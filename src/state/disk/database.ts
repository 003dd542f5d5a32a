import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { MillraceError, toError } from '../../errors.ts'

/** One file of SQLite, gone when it is closed. */
export interface Database {
  prepare(sql: string): StatementSync
  /** Turns what SQLite throws into errors of ours. */
  attempt<T>(work: () => T): T
  close(): void
}

/** SQLite's result codes (https://www.sqlite.org/rescode.html); the lower byte is the kind. */
const BUSY = 5
const IO_ERROR = 10
const FULL = 13

const loadSqlite = () => createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite')

/**
 * A new file with these tables. Nothing of it must survive, so nothing is synced, and one transaction lasts for its whole
 * life: pages go to the file when they do not fit into the cache any more.
 */
export function openDatabase(
  file: string,
  schema: readonly string[],
  { pageCacheBytes }: { readonly pageCacheBytes: number },
): Database {
  const sqlite = loadSqlite()
  let database: DatabaseSync | undefined
  const attempt = <T>(work: () => T): T => {
    try {
      return work()
    } catch (thrown) {
      throw stateError(thrown, file)
    }
  }
  const remove = () => {
    database?.close()
    database = undefined
    rmSync(file, { force: true })
  }
  try {
    attempt(() => {
      database = new sqlite.DatabaseSync(file)
      // The journal has only what was there when the transaction began, which is nothing.
      for (const pragma of [
        'journal_mode = MEMORY',
        'synchronous = OFF',
        'locking_mode = EXCLUSIVE',
        'temp_store = MEMORY',
        `cache_size = -${Math.ceil(pageCacheBytes / 1024)}`,
      ]) {
        database.exec(`PRAGMA ${pragma}`)
      }
      for (const statement of schema) database.exec(statement)
      database.exec('BEGIN')
    })
  } catch (error) {
    remove()
    throw error
  }
  return {
    prepare: (sql) => attempt(() => database!.prepare(sql)),
    attempt,
    close: remove,
  }
}

/** Somebody has it open, who need not be on this machine's list of processes. */
export function isInUse(file: string): boolean {
  let database: DatabaseSync | undefined
  try {
    database = new (loadSqlite().DatabaseSync)(file)
    database.exec('BEGIN EXCLUSIVE')
    return false
  } catch (thrown) {
    // What is torn can be nobody's: a lock is seen before the content.
    return ((thrown as { errcode?: number }).errcode ?? 0) % 256 === BUSY
  } finally {
    database?.close()
  }
}

/** What went wrong with a file of state: a full disk, or one that cannot be used. */
export function stateError(thrown: unknown, file: string): MillraceError {
  const cause = toError(thrown)
  const { errcode, code } = thrown as { errcode?: number; code?: string }
  const full = errcode === FULL || code === 'ENOSPC' || code === 'EDQUOT'
  const message = `state on disk, ${file}: ${cause.message}`
  if (full) {
    return new MillraceError('DISK_FULL', message, {
      cause,
      hint: 'free some space and start again: nothing is lost, state comes back from a snapshot and the changelog',
    })
  }
  return new MillraceError('DATA_DIRECTORY', message, {
    cause,
    hint:
      errcode !== undefined && (errcode & 0xff) === IO_ERROR
        ? 'the disk does not take or give its bytes any more: look into the system log, or choose another directory'
        : 'give the user of this process a directory that it may write to',
  })
}
