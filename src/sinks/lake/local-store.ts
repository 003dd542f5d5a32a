import { randomUUID } from 'node:crypto'
import { access, constants, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { makeDirectory } from '../../directories.ts'
import { MillraceError } from '../../errors.ts'
import { publish, syncFolder, writeDurably } from './durable-file.ts'
import { errno, localError } from './local-errors.ts'
import { assertSameContent } from './same-content.ts'
import type { LakeEntry, LakeObject, LakeStore } from './store.ts'

const KNOWN_FOLDERS = 1000

/** A lake in a local directory. A file appears whole or not at all, and survives a power cut once `put` resolves. */
export function localStore(directory: string): LakeStore {
  const root = resolve(directory)
  /** Folders made sure of by this process, with the temporary files that an earlier one left in them. */
  const folders = new Map<string, Promise<string[]>>()

  function openFolder(folder: string): Promise<string[]> {
    let opening = folders.get(folder)
    if (!opening) {
      opening = (async () => {
        makeDirectory(folder)
        for (let level = folder; level !== root; level = dirname(level)) await syncFolder(dirname(level))
        return (await readdir(folder)).filter((name) => name.startsWith('.') && name.endsWith('.tmp'))
      })()
      opening.catch(() => folders.delete(folder))
      folders.set(folder, opening)
      if (folders.size > KNOWN_FOLDERS) folders.delete(folders.keys().next().value!)
    }
    return opening
  }

  async function write(target: string, object: LakeObject): Promise<'written' | 'present'> {
    const folder = dirname(target)
    const leftovers = await openFolder(folder)
    if (await isThere(target, object)) return 'present'
    // Spark and Hive pass over names that begin with a dot.
    const prefix = `.${basename(target)}.`
    for (const name of leftovers) if (name.startsWith(prefix)) await rm(join(folder, name), { force: true })
    const temporary = join(folder, `${prefix}${randomUUID()}.tmp`)
    try {
      await writeDurably(temporary, object.bytes)
      if (await publish(temporary, target)) {
        await syncFolder(folder)
        return 'written'
      }
      if (await isThere(target, object)) return 'present'
      throw new MillraceError('UNAVAILABLE', `${target} comes and goes`, { retriable: true })
    } finally {
      await rm(temporary, { force: true }).catch(() => {})
    }
  }

  return {
    async prepare() {
      try {
        const made = makeDirectory(root)
        if (made !== undefined) await syncFolder(dirname(made))
        await access(root, constants.R_OK | constants.W_OK | constants.X_OK)
      } catch (error) {
        throw localError(error, 'use', root)
      }
    },
    async put(path, object) {
      const target = join(root, path)
      try {
        return await write(target, object)
      } catch (error) {
        folders.delete(dirname(target)) // it may have been removed
        throw localError(error, 'write', target)
      }
    },
    list: (prefix) => listFiles(root, prefix),
    async read(path) {
      try {
        return await readFile(join(root, path))
      } catch (error) {
        throw localError(error, 'read', join(root, path))
      }
    },
    close() {},
  }
}

/** Whether the file is there already; throws when it is there with other content. */
async function isThere(target: string, object: LakeObject): Promise<boolean> {
  let bytes: Buffer
  try {
    bytes = await readFile(target)
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw error
  }
  assertSameContent(bytes, object, target)
  await syncFolder(dirname(target)) // whoever wrote it may have been killed before this
  return true
}

/** The files below the root; none when there is no root. */
async function* listFiles(root: string, prefix: string): AsyncGenerator<LakeEntry> {
  const folders = [prefix.slice(0, prefix.lastIndexOf('/') + 1)]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await unlessGone(readdir(join(root, folder), { withFileTypes: true }), root)
    for (const entry of entries ?? []) {
      const path = folder + entry.name
      if (entry.isDirectory()) folders.push(`${path}/`)
      else if (path.startsWith(prefix)) {
        const stats = await unlessGone(stat(join(root, path)), root)
        if (stats) yield { path, size: stats.size }
      }
    }
  }
}

async function unlessGone<T>(found: Promise<T>, root: string): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw localError(error, 'list', root)
  }
}
