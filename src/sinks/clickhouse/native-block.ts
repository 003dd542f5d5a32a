import { ByteWriter } from '../../serde/bytes.ts'
import { type ColumnEncoder, UnfitValue, writeText, writeVarUInt } from './types/column-encoder.ts'

/** One column of the rows to be written. */
export interface BlockColumn {
  readonly name: string
  readonly encoder: ColumnEncoder
  /** What an absent value (undefined, not null) stands for. */
  readonly absent?: unknown
  /** Whether the column takes NULL. */
  readonly nullTaken: boolean
  /** Null is refused, not written as the column's default. */
  readonly required?: boolean
  /** The value in row `i` of the batch. */
  read(i: number): unknown
}

export interface EncodedBlock {
  /** The block in ClickHouse's Native format. */
  readonly bytes: Buffer
  /** Bytes of the values that are there: the same on every replay, whatever columns the table has got meanwhile. */
  readonly payload: number
  /** The rows of the batch that are in it. */
  readonly rows: readonly number[]
}

/** Rows that cannot be encoded, and why. */
export type UnfitRows = Map<number, Error>

/** Encodes some rows of a batch; those with a value that does not fit are left out and added to `unfit`. */
export function encodeBlock(columns: readonly BlockColumn[], rows: readonly number[], unfit: UnfitRows): EncodedBlock {
  const converted = columns.map((column) => convert(column, rows, unfit))
  const fit = rows.filter((row) => !unfit.has(row))
  if (fit.length < rows.length) return encodeBlock(columns, fit, unfit)

  const out = new ByteWriter(64 * 1024)
  writeVarUInt(out, columns.length)
  writeVarUInt(out, rows.length)
  let payload = 0
  for (let c = 0; c < columns.length; c++) {
    const { name, encoder, nullTaken } = columns[c]!
    const { values, nulls, nullCount } = converted[c]!
    const asNullable = nullCount > 0 && (encoder.nulls === 'always' || (encoder.nulls === 'if taken' && nullTaken))
    writeText(out, name)
    writeText(out, asNullable ? `Nullable(${encoder.wire})` : encoder.wire)
    if (asNullable) out.raw(nulls)
    const start = out.position
    encoder.write(values, out)
    payload += out.position - start - nullCount * encoder.emptySize
  }
  return { bytes: out.bytes(), payload, rows }
}

interface Converted {
  readonly values: readonly unknown[]
  /** 1 where there is no value. */
  readonly nulls: Uint8Array
  readonly nullCount: number
}

function convert(column: BlockColumn, rows: readonly number[], unfit: UnfitRows): Converted {
  const { name, encoder, absent, required = false, read } = column
  const values = new Array<unknown>(rows.length)
  const nulls = new Uint8Array(rows.length)
  let nullCount = 0
  let i = 0
  while (i < rows.length) {
    try {
      for (; i < rows.length; i++) {
        let value = read(rows[i]!)
        if (value === undefined) value = absent
        if (value === null || value === undefined) {
          if (required) throw new UnfitValue('null in a column that tells rows apart')
          values[i] = encoder.empty
          nulls[i] = 1
          nullCount++
        } else values[i] = encoder.convert(value)
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (!unfit.has(rows[i]!)) unfit.set(rows[i]!, new Error(`column ${name}: ${reason}`))
      values[i] = encoder.empty
      i++
    }
  }
  return { values, nulls, nullCount }
}
