import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MillraceError } from 'millrace'
import { makeDirectory } from '../common/make-directory.ts'
import type { Options } from './options.ts'

/** What earlier runs have done, so that the next goes on where they ended. */
export interface Progress {
  readonly seed: number
  /** Transactions that are to be in the topic at the end of the run. */
  readonly target: number
  readonly finished: boolean
  /** What they ran on: results and records must not come apart. */
  readonly parts: readonly string[]
}

export interface Continued extends Progress {
  /** The run before was cut short: this one finishes it. */
  readonly resumed: boolean
}

const FILE = 'shop.json'
/** Everything that the shop keeps in its data directory: what `--fresh` deletes, and nothing else. */
const KEPT = [FILE, 'log', 'registry', 'clickhouse', 'lake']

/** What this run is to do, by what is in the data directory. Throws `INVALID_OPTION` and `DATA_DIRECTORY`. */
export function continued(options: Options, parts: readonly string[]): Continued {
  const { data, records } = options
  const before = read(data)
  if (before === undefined) return { seed: options.seed ?? 42, target: records, finished: false, parts, resumed: false }
  if (options.seed !== undefined && options.seed !== before.seed) {
    throw new MillraceError('INVALID_OPTION', `${data} holds what was made with --seed ${before.seed}`, {
      hint: 'leave --seed out to go on with it, or start over with --fresh, or in another place with --data DIR',
    })
  }
  if (JSON.stringify(before.parts) !== JSON.stringify(parts)) {
    throw new MillraceError('INVALID_OPTION', `${data} belongs to a run on other parts (${before.parts.join('; ')})`, {
      hint: 'records and results would come apart: use the same parts again, or another place with --data DIR',
    })
  }
  const target = before.finished ? before.target + records : before.target
  return { seed: before.seed, target, finished: false, parts, resumed: !before.finished }
}

export function writeProgress(data: string, { seed, target, finished, parts }: Progress): void {
  guarded(data, () => {
    makeDirectory(data)
    writeFileSync(join(data, FILE), `${JSON.stringify({ seed, target, finished, parts })}\n`)
  })
}

/** Deletes what earlier runs have left, and nothing that is not the shop's. */
export function startOver(data: string): void {
  guarded(data, () => {
    for (const name of KEPT) rmSync(join(data, name), { recursive: true, force: true })
  })
}

function read(data: string): Progress | undefined {
  return guarded(data, () => {
    try {
      return JSON.parse(readFileSync(join(data, FILE), 'utf8')) as Progress
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      if (!(error instanceof SyntaxError)) throw error
      throw new MillraceError('DATA_DIRECTORY', `${join(data, FILE)} is damaged`, { hint: 'start over with --fresh' })
    }
  })
}

function guarded<T>(data: string, call: () => T): T {
  try {
    return call()
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    const { code = '' } = cause as NodeJS.ErrnoException
    throw new MillraceError('DATA_DIRECTORY', `the data directory ${data} cannot be used (${code})`, {
      cause,
      hint: 'look at its permissions and whether the disk is full, or choose another: --data DIR',
    })
  }
}
