import { MillraceError, toError } from '../../errors.ts'
import type { SinkBatch } from '../sink.ts'
import { isFields, type KeyColumns } from './keys.ts'
import type { ResolvedOptions, Row } from './options.ts'

/** The rows that a batch becomes, by index in the batch. */
export interface BatchRows {
  /** Columns of the key. They win over those of the value. */
  readonly keys: readonly Row[]
  /** Columns of the value; null is a row that says that its key is gone. */
  readonly values: readonly (Row | null)[]
  /** Indexes of the rows to be written. */
  readonly indexes: readonly number[]
  readonly refused: Map<number, MillraceError>
}

const NONE: Row = {}

/** Lays the rows of a batch out. Skips tombstones of an append; refuses rows without a key for an upsert. */
export function batchRows(
  batch: SinkBatch<unknown, unknown>,
  { mode, columns }: Pick<ResolvedOptions, 'mode' | 'columns'>,
  keyOf: KeyColumns,
): BatchRows {
  const { range, keys, values, offsets, timestamps } = batch
  const count = keys.length
  const rowKeys = new Array<Row>(count).fill(NONE)
  const rowValues = new Array<Row | null>(count).fill(null)
  const indexes: number[] = []
  const refused = new Map<number, MillraceError>()
  const { topic, partition } = range
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if ((value === null || value === undefined) && mode === 'append') continue
    const offset = offsets[i]!
    const at = { topic, partition, offset, key: keys[i] }
    try {
      const key = keyOf(keys[i])
      if (key === null) {
        const hint = 'give the stream keys, or use the mode append'
        refused.set(i, new MillraceError('SINK_REFUSED', 'a row to be upserted has no key', { ...at, hint }))
        continue
      }
      rowKeys[i] = key
      if (value !== null && value !== undefined) {
        if (columns) rowValues[i] = columns(keys[i], value, { topic, partition, offset, timestamp: timestamps[i]! })
        else rowValues[i] = isFields(value) ? value : { value }
      }
      indexes.push(i)
    } catch (thrown) {
      const error = toError(thrown)
      const own = error instanceof MillraceError
      const message = `the row's columns cannot be made: ${error.message}`
      refused.set(i, own ? error : new MillraceError('OPERATOR_FAILED', message, { ...at, cause: error }))
    }
  }
  return { keys: rowKeys, values: rowValues, indexes, refused }
}

/** The names of all columns that the rows have. Quick while rows are alike. */
export function columnNames(rows: readonly (Row | null)[], indexes: readonly number[]): Set<string> {
  const names = new Set<string>()
  let shape: string[] = []
  for (const index of indexes) {
    const row = rows[index]
    if (!row) continue
    let i = 0
    for (const name in row) {
      if (name !== shape[i]) {
        i = -1
        break
      }
      i++
    }
    if (i === shape.length) continue
    shape = []
    for (const name in row) {
      shape.push(name)
      names.add(name)
    }
  }
  return names
}
