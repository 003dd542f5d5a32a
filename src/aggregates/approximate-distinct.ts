import { checkWhole } from '../options.ts'
import type { Aggregate } from './aggregate.ts'
import { fieldAggregate, type Primitive, readPrimitive } from './field.ts'
import { hash53 } from './hash.ts'
import { estimate, mergeRegisters, note } from './hyper-log-log.ts'
import { StateReader } from './state-reader.ts'

export interface ApproximateDistinctOptions {
  /** 2^precision registers of a byte each, from 4 to 18. Default 12: 4 KiB, standard error 1.6 %. */
  readonly precision?: number
}

/** The accumulator of `approximateDistinct`: the hashes themselves while they are few, then registers. */
export interface DistinctSketch {
  hashes: Set<number> | null
  registers: Uint8Array | null
}

const DENSE = 0x80

/**
 * About how many different values a field has. Null and undefined are left out; 0 when there was nothing else.
 *
 * HyperLogLog: the standard error is 1.04 / √(2^precision), so that two results of three are within 1.6 % at the default
 * precision of 12, and nearly all within three times that; 14 gives 0.8 %. Up to 2^precision / 32 values the
 * result is exact. Merging gives the same as counting in one go. Values are strings, numbers, bigints or booleans;
 * 1 and '1' differ. Cannot be removed from: not for tables. For the values themselves see `distinct`.
 *
 * State: 8 bytes for each value while it is exact, then 2^precision bytes. Throws `INVALID_OPTION` for a precision
 * outside 4 … 18, `OPERATOR_FAILED` for a value that is an object.
 */
export function approximateDistinct<V, T extends Primitive | null | undefined>(
  of: (value: V) => T,
  { precision = 12 }: ApproximateDistinctOptions = {},
): Aggregate<V, DistinctSketch, number> {
  checkWhole('approximateDistinct', 'precision', precision, 4, 18)
  const kind = `approximateDistinct(precision ${precision})`
  const size = 2 ** precision
  const few = size / 32
  const put = (sketch: DistinctSketch, hash: number) => {
    if (sketch.registers) note(sketch.registers, hash, precision)
    else if (sketch.hashes!.add(hash).size > few) densify(sketch)
    return sketch
  }
  const densify = (sketch: DistinctSketch): Uint8Array => {
    if (sketch.registers) return sketch.registers
    const registers = new Uint8Array(size)
    for (const hash of sketch.hashes!) note(registers, hash, precision)
    sketch.hashes = null
    sketch.registers = registers
    return registers
  }
  const readValue = readPrimitive(kind, of)
  return fieldAggregate({
    kind,
    read(value: V) {
      const found = readValue(value)
      return found === null ? null : hash53(found)
    },
    init: (): DistinctSketch => ({ hashes: new Set(), registers: null }),
    put,
    merge(a: DistinctSketch, b: DistinctSketch) {
      if (b.registers) mergeRegisters(densify(a), b.registers)
      else for (const hash of b.hashes!) put(a, hash)
      return a
    },
    result: ({ hashes, registers }) => (hashes ? hashes.size : Math.round(estimate(registers!, precision))),
    clone: ({ hashes, registers }) => ({
      hashes: hashes && new Set(hashes),
      registers: registers === null ? null : registers.slice(),
    }),
    state: {
      encode({ hashes, registers }, out) {
        out.uint8(precision | (registers ? DENSE : 0))
        if (registers) out.raw(registers)
        else for (const hash of hashes!) out.float64(hash)
      },
      decode(source, start, end) {
        const reader = new StateReader(kind, source, start, end)
        const form = reader.uint8()
        if ((form & ~DENSE) !== precision) throw reader.fault(`it has precision ${form & ~DENSE}`)
        if (form & DENSE) {
          const at = reader.advance(size)
          reader.finish()
          return { hashes: null, registers: new Uint8Array(source.buffer.subarray(at, at + size)) }
        }
        const hashes = new Set<number>()
        while (!reader.atEnd) hashes.add(reader.float64())
        return { hashes, registers: null }
      },
    },
  })
}
