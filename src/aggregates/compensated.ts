import type { ByteWriter } from '../serde/bytes.ts'
import type { AggregateState } from './aggregate.ts'
import type { AggregateRow } from './row.ts'
import { StateReader } from './state-reader.ts'

/**
 * A sum of doubles together with the error that rounding has left out of it: twice the digits of a double (Neumaier,
 * "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974).
 */
export interface CompensatedSum {
  sum: number
  compensation: number
}

export const newSum = (): CompensatedSum => ({ sum: 0, compensation: 0 })

export const copySum = ({ sum, compensation }: CompensatedSum): CompensatedSum => ({ sum, compensation })

/** Adds a number; the error of the addition is exact (Knuth, TAOCP 2, 4.2.2, theorem B). */
export function addTo(total: CompensatedSum, value: number): CompensatedSum {
  const before = total.sum
  const sum = before + value
  const added = sum - before
  total.sum = sum
  total.compensation += before - (sum - added) + (value - added)
  return total
}

export function addSum(a: CompensatedSum, b: CompensatedSum): CompensatedSum {
  addTo(a, b.sum)
  a.compensation += b.compensation
  return a
}

/** As `addTo`, to a sum in a row: its sum, then its compensation. */
export function addToRow(row: Float64Array, at: number, value: number): void {
  const before = row[at]
  const sum = before + value
  const added = sum - before
  row[at] = sum
  row[at + 1] += before - (sum - added) + (value - added)
}

/** A sum as a row. */
export function sumRow(result: (sum: number, compensation: number) => number): AggregateRow<CompensatedSum, number> {
  return {
    width: 2,
    put: addToRow,
    result: (row, at) => result(row[at], row[at + 1]),
    load: (row, at) => ({ sum: row[at], compensation: row[at + 1] }),
    save(row, at, { sum, compensation }) {
      row[at] = sum
      row[at + 1] = compensation
    },
    write: (row, at, out) => writeSum(row[at], row[at + 1], out),
  }
}

/** The sum as one double. */
export const rounded = ({ sum, compensation }: CompensatedSum): number => roundedSum(sum, compensation)

export function roundedSum(sum: number, compensation: number): number {
  const total = sum + compensation
  // Beyond the range of doubles there is no error to speak of: the sum alone says Infinity.
  return Number.isNaN(total) ? sum : total
}

/** The sum as a double and what that leaves out: the same whichever way it was added up. */
export function split({ sum, compensation }: CompensatedSum): { high: number; low: number } {
  const high = roundedSum(sum, compensation)
  return { high, low: leftOut(sum, compensation, high) }
}

function leftOut(sum: number, compensation: number, high: number): number {
  const low = sum - high + compensation
  return Number.isFinite(low) ? low : 0
}

/** Kafka's double where that says it all, else two doubles that add up to the sum. */
function writeSum(sum: number, compensation: number, out: ByteWriter): void {
  const high = roundedSum(sum, compensation)
  const low = leftOut(sum, compensation, high)
  out.float64(high)
  if (low !== 0) out.float64(low)
}

/** As `writeSum` writes it. */
export function sumState(kind: string): AggregateState<CompensatedSum> {
  return {
    encode: ({ sum, compensation }, out) => writeSum(sum, compensation, out),
    decode(source, start, end) {
      const reader = new StateReader(kind, source, start, end)
      const sum = reader.float64()
      const compensation = reader.atEnd ? 0 : reader.float64()
      reader.finish()
      return { sum, compensation }
    },
  }
}
