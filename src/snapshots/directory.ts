import { randomUUID } from 'node:crypto'
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeDirectory } from '../directories.ts'
import { MillraceError, toError } from '../errors.ts'
import type { SnapshotStore } from './snapshot-store.ts'

const TEMPORARY = '.tmp'

/**
 * Keeps snapshots in a local directory: what makes a restart on the same machine quick.
 *
 * A file appears whole or not at all, and survives a power cut once it is written. Several instances may share a directory.
 *
 * @example
 * ```ts
 * await run(shop, { log, snapshots: { to: snapshotDirectory('./data/snapshots') } })
 * ```
 */
export function snapshotDirectory(directory: string): SnapshotStore {
  const root = resolve(directory)
  const attempt = async <T>(action: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw diskError(error, action, root)
    }
  }
  return {
    location: directory,
    open: () => attempt('use', async () => void makeDirectory(root)),
    list: (folder) =>
      attempt('list', async () => {
        const names = await readdir(join(root, folder)).catch((error) =>
          isMissing(error) ? [] : Promise.reject(error),
        )
        return names.filter((name) => !name.endsWith(TEMPORARY))
      }),
    write: (path, bytes) =>
      attempt('write to', async () => {
        const target = join(root, path)
        const temporary = `${target}.${randomUUID()}${TEMPORARY}`
        makeDirectory(dirname(target))
        try {
          const file = await open(temporary, 'wx')
          try {
            await file.writeFile(bytes)
            await file.sync()
          } finally {
            await file.close()
          }
          await rename(temporary, target)
        } finally {
          await rm(temporary, { force: true }).catch(() => {})
        }
        await syncFolder(dirname(target))
      }),
    read: (path) =>
      attempt('read', () =>
        readFile(join(root, path)).catch((error) => (isMissing(error) ? undefined : Promise.reject(error))),
      ),
    remove: (paths) =>
      attempt('remove from', async () => {
        for (const path of paths) await rm(join(root, path), { force: true })
      }),
    close() {},
  }
}

/** Waits until the names in a folder are on the disk. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // cannot open a folder, and journals its names
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

function diskError(thrown: unknown, action: string, root: string): MillraceError {
  const cause = toError(thrown)
  const code = (thrown as NodeJS.ErrnoException).code
  const what = `cannot ${action} the snapshots in ${root}: ${cause.message}`
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const hint = 'free some space: state is safe in the changelogs, a restart takes longer until then'
    return new MillraceError('DISK_FULL', what, { cause, retriable: true, hint })
  }
  return new MillraceError('DATA_DIRECTORY', what, {
    cause,
    hint: 'give the user of this process a directory that it may write to',
  })
}
