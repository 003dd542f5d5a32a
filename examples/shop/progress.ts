import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What earlier runs have done, so that the next goes on where they ended. */
export interface Progress {
  readonly seed: number
  /** Transactions that are to be in the topic at the end of the run. */
  readonly target: number
  readonly finished: boolean
}

export function readProgress(data: string): Progress | undefined {
  try {
    return JSON.parse(readFileSync(join(data, 'shop.json'), 'utf8')) as Progress
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export function writeProgress(data: string, progress: Progress): void {
  mkdirSync(data, { recursive: true })
  writeFileSync(join(data, 'shop.json'), `${JSON.stringify(progress)}\n`)
}
