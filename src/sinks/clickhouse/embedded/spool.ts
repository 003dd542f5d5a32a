import { createWriteStream, mkdirSync, rmSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Files for the data of running inserts, which the engine takes from nowhere else. */
export interface Spool {
  write(data: Readable): Promise<string>
  remove(file: string): Promise<void>
}

/** A spool in a directory of its own, emptied of what a killed process left there. */
export function openSpool(directory: string): Spool {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  let count = 0
  return {
    async write(data) {
      const file = join(directory, `${count++}`)
      try {
        await pipeline(data, createWriteStream(file))
      } catch (error) {
        await unlink(file).catch(() => {})
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        throw new Error(`Code: 243. DB::Exception: No space left for ${file}. (NOT_ENOUGH_SPACE)`)
      }
      return file
    },
    remove: (file) => unlink(file).catch(() => {}),
  }
}
