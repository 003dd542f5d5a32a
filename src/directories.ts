import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory with those above it that are missing; gives the topmost one that it made. Throws as `mkdirSync` does.
 *
 * Not with `recursive`: where the system says ENOENT although the parent is there (below /proc, say), Node 24.21 then never
 * returns.
 */
export function makeDirectory(path: string): string | undefined {
  try {
    mkdirSync(path)
    return path
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return undefined
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || existsSync(parent)) throw error
    const made = makeDirectory(parent)
    return makeDirectory(path) === undefined ? made : (made ?? path)
  }
}
