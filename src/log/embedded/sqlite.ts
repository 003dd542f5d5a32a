import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { makeDirectory } from '../../directories.ts'
import { MillraceError } from '../../errors.ts'

/** Opens the file, which may grow to `maxBytes`, for this process alone. Throws `DATA_DIRECTORY`. */
export function openDatabase(file: string, maxBytes: number): DatabaseSync {
  const { DatabaseSync } = loadSqlite()
  return translated(file, () => {
    makeDirectory(dirname(file))
    const database = new DatabaseSync(file)
    try {
      // The operating system drops the lock when the process dies, however it dies.
      database.exec('PRAGMA locking_mode = EXCLUSIVE')
      database.exec('PRAGMA journal_mode = WAL')
      // Every commit is on disk before it is acknowledged (https://www.sqlite.org/pragma.html#pragma_synchronous).
      database.exec('PRAGMA synchronous = FULL')
      if (maxBytes < Number.POSITIVE_INFINITY) limit(database, maxBytes)
      database.exec('BEGIN IMMEDIATE')
      database.exec('COMMIT')
      return database
    } catch (error) {
      database.close()
      throw error
    }
  })
}

function limit(database: DatabaseSync, maxBytes: number): void {
  const [{ page_size: size }] = database.prepare('PRAGMA page_size').all() as { page_size: number }[]
  // Never below what is in use: SQLite takes care of that.
  database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / size))}`)
}

/** Runs a call and turns SQLite's result codes (https://www.sqlite.org/rescode.html) into errors of ours. */
export function translated<T>(file: string, call: () => T): T {
  try {
    return call()
  } catch (thrown) {
    const error = thrown as NodeJS.ErrnoException & { errcode?: number }
    const fail = (message: string, hint: string) =>
      new MillraceError('DATA_DIRECTORY', `${file}: ${message}`, { cause: error, hint })
    switch ((error.errcode ?? 0) & 0xff) {
      case 5: // SQLITE_BUSY
        throw fail('another process has it open', 'stop that process, or give this one a directory of its own')
      case 11: // SQLITE_CORRUPT
      case 26: // SQLITE_NOTADB
        throw fail('it is damaged, or no log of Millrace', 'restore it from a backup, or start over without it')
      case 8: // SQLITE_READONLY
      case 14: // SQLITE_CANTOPEN
        throw fail('it cannot be opened for writing', 'look at the permissions of the directory')
      case 13: // SQLITE_FULL
        throw new MillraceError('DISK_FULL', `${file}: there is no room for more`, {
          cause: error,
          hint: 'make room on the disk, or raise maxBytes; writing goes on then',
          retriable: true,
        })
      case 10: // SQLITE_IOERR
        throw new MillraceError('UNAVAILABLE', `${file}: ${error.message}`, { cause: error, retriable: true })
    }
    // The only other call to the system is the one that makes the directory.
    if (error.syscall === 'mkdir') {
      throw fail(
        `the directory cannot be made or written (${error.code})`,
        'look at its permissions, or choose another',
      )
    }
    throw error
  }
}

/** Node calls its SQLite experimental, with a warning at every start; it is pinned by our tests. */
function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process
  process.emitWarning = (() => {}) as typeof emitWarning
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}
