import { randomUUID } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeDirectory } from '../../directories.ts'
import { checkWhole } from '../../options.ts'
import type { DiskState } from '../../topology/disk-table.ts'
import { type Database, isInUse, openDatabase, stateError } from './database.ts'
import { ROWS, rowTable } from './row-table.ts'
import { TIMELINES, timelineTable } from './timeline-table.ts'

export interface DiskStateOptions {
  /**
   * About how much of one store in one task stays in memory, decoded, after a commit, in bytes. Default 32 MiB. When what has
   * changed takes as much again, and 4 MiB at least, the next commit does not wait for its interval.
   */
  readonly cacheBytes?: number
  /** Memory of one store in one task for pages of its file, in bytes. Default 32 MiB. */
  readonly pageCacheBytes?: number
}

/**
 * Keeps state on disk that is larger than memory: a file for each store and task, and in memory only what has changed since
 * the last commit and what was used lately. Every store of every operator is kept there, and gives the same results.
 *
 * The files are a place to put things, not a copy to keep: what survives a crash is the changelog, and what makes a restart
 * quick is a snapshot (`millrace/snapshots`). Nothing of them is ever opened again, so nothing uncommitted can come back.
 * Give each instance that runs at the same time a directory of its own, or let them share one: files that a dead process
 * left behind are removed at the next start. A full disk stops the application with `DISK_FULL`; a directory that cannot be
 * used with `DATA_DIRECTORY`. docs/state.md says what it costs, and what stays in memory.
 *
 * @example
 * ```ts
 * await run(shop, { log, state: diskState('./data/state') })
 * ```
 */
export function diskState(directory: string, options: DiskStateOptions = {}): DiskState {
  const { cacheBytes = 32 * 1024 * 1024, pageCacheBytes = 32 * 1024 * 1024 } = options
  checkWhole('diskState', 'cacheBytes', cacheBytes, 0)
  checkWhole('diskState', 'pageCacheBytes', pageCacheBytes, 0)
  const root = resolve(directory)
  let prepared = false
  const open = new Set<Database>()
  const database = (task: string, store: string, schema: readonly string[]): Database => {
    if (!prepared) prepare(root)
    prepared = true
    const file = join(root, `${task}-${store}-${randomUUID()}${ENDING}`)
    const opened = openDatabase(file, schema, { pageCacheBytes })
    const listed: Database = {
      ...opened,
      close() {
        open.delete(listed)
        opened.close()
      },
    }
    open.add(listed)
    return listed
  }
  return {
    cacheBytes,
    table: (task, store) => rowTable(database(task, store, ROWS)),
    timelines: (task, store) => timelineTable(database(task, store, TIMELINES)),
    close() {
      for (const one of open) one.close()
    },
  }
}

const ENDING = '.rows'

/** A file that is younger may be of somebody who has not locked it yet, ms. */
const YOUNG = 10_000

/**
 * Makes the directory, and removes what dead processes left there. Who is alive holds a lock on its files, which a process
 * id would not tell: in a container it is the same after every restart.
 */
function prepare(root: string): void {
  try {
    makeDirectory(root)
    for (const name of readdirSync(root)) {
      if (!name.endsWith(ENDING)) continue
      const file = join(root, name)
      const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
      if (age > YOUNG && !isInUse(file)) rmSync(file, { force: true })
    }
  } catch (error) {
    throw stateError(error, root)
  }
}
