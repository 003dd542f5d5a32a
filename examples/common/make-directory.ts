import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Makes a directory, level by level: `recursive` never returns where the system refuses one under a parent that is there. */
export function makeDirectory(path: string): void {
  const missing: string[] = []
  for (let level = resolve(path); !existsSync(level); level = dirname(level)) missing.unshift(level)
  for (const level of missing) mkdirSync(level)
}
