import { MillraceError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import type { Connection } from './connection.ts'
import { isDataFailure, isPassing, isTableFailure } from './failures.ts'
import { type BlockColumn, type EncodedBlock, encodeBlock } from './native-block.ts'

export interface WriteRequest {
  /** `INSERT INTO … FORMAT Native`. */
  readonly sql: string
  readonly columns: readonly BlockColumn[]
  /** Indexes of the batch's rows that are to be written. */
  readonly rows: readonly number[]
  /** Identity of an insert of some of these rows, the same on every replay; '' for none. */
  tokenOf(first: number, last: number): string
  readonly maxRows: number
  readonly maxBytes: number
  onRetry(error: Error): void
}

/**
 * Writes rows in as few inserts as the limits allow. Rows that do not fit their columns, and rows that the server
 * refuses (found by halving), are returned with the reason; the rest is written. What is one insert depends on the
 * rows alone, so that a replay repeats the same inserts.
 */
export async function writeRows(connection: Connection, request: WriteRequest): Promise<Map<number, Error>> {
  const { sql, columns, rows, tokenOf, maxRows, maxBytes, onRetry } = request
  const refused = new Map<number, Error>()
  let written = 0

  async function write(part: readonly number[], isWhole: boolean): Promise<void> {
    const block = encodeBlock(columns, part, refused)
    if (block.rows.length === 0) return
    if (block.payload > maxBytes && part.length > 1) return halves(part, isWhole)
    try {
      await insert(block, part)
      written += block.rows.length
    } catch (error) {
      if (!isDataFailure(error)) throw error
      // Once more as it is: a fault on the way would otherwise put other tokens on rows that are fine.
      if (isWhole && (await succeeds(() => insert(block, part)))) return
      if (block.rows.length > 1) return halves(block.rows, false)
      refused.set(block.rows[0]!, error)
      if (written === 0 && refused.size >= HOPELESS) throw error
    }
  }

  async function halves(part: readonly number[], isWhole: boolean) {
    const middle = part.length >> 1
    await write(part.slice(0, middle), isWhole)
    await write(part.slice(middle), isWhole)
  }

  async function insert(block: EncodedBlock, part: readonly number[]) {
    const settings = { ...INSERT_SETTINGS, insert_deduplication_token: tokenOf(part[0]!, part.at(-1)!) }
    await retried(() => connection.insert(sql, block.bytes, settings), onRetry)
  }

  for (let i = 0; i < rows.length; i += maxRows) await write(rows.slice(i, i + maxRows), true)
  return refused
}

/** Rows refused one by one, with none accepted, after which it is no matter of rows. */
const HOPELESS = 32

const INSERT_SETTINGS = {
  // Since 26.2 the default is 1: the answer would come before the rows are there, and the token would not count.
  async_insert: 0,
  insert_deduplicate: 1,
  // A replay must go on to the views of a table that has the rows already: the first attempt may have ended between.
  deduplicate_blocks_in_dependent_materialized_views: 1,
  input_format_native_allow_types_conversion: 1,
  input_format_null_as_default: 1,
  input_format_defaults_for_omitted_fields: 1,
} as const

const RETRY_DELAYS_MS = [50, 200, 800]

/** Repeats what fails for a passing reason a few times; the rest is up to the caller. */
export async function retried<T>(attempt: () => Promise<T>, onRetry: (error: Error) => void): Promise<T> {
  for (const delay of RETRY_DELAYS_MS) {
    try {
      return await attempt()
    } catch (error) {
      if (isDataFailure(error) || isTableFailure(error) || !isPassing(error)) throw error
      onRetry(error as Error)
      await systemClock.sleep(delay * (0.5 + Math.random()))
    }
  }
  return attempt()
}

async function succeeds(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt()
    return true
  } catch (error) {
    if (isDataFailure(error)) return false
    throw error
  }
}

/** The error for a row that is refused. */
export function refusedRow(reason: Error, where: ConstructorParameters<typeof MillraceError>[2]): MillraceError {
  return new MillraceError('SINK_REFUSED', `ClickHouse takes no such row: ${reason.message}`, {
    ...where,
    cause: reason,
    hint: 'correct the value, or the type of the column',
  })
}
