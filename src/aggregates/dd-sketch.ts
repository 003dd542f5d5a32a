import type { ByteWriter } from '../serde/bytes.ts'
import type { AggregateState } from './aggregate.ts'
import { StateReader, writeVarint } from './state-reader.ts'

/**
 * How many numbers lie in each of a geometric series of bins, so that any number is known to a relative error: DDSketch
 * (Masson, Rim & Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
 * Bin i holds the numbers in (g^(i-1), g^i]. No bins are given up, so that the error holds for all quantiles.
 */
export interface Sketch {
  count: number
  zeros: number
  readonly positive: Bins
  readonly negative: Bins
}

type Bins = Map<number, number>

/** What works on sketches of one error. */
export interface Sketches {
  empty(): Sketch
  /** Adds a finite number `weight` times; -1 takes it out again. */
  add(sketch: Sketch, number: number, weight: number): Sketch
  merge(a: Sketch, b: Sketch): Sketch
  clone(sketch: Sketch): Sketch
  /** The estimates for some quantiles, each the number of rank ⌊q (count - 1)⌋ from 0; the sketch must not be empty. */
  quantiles(sketch: Sketch, qs: readonly number[]): number[]
  readonly state: AggregateState<Sketch>
}

// Numbers nearer to 0 have fewer digits than a double should, and are taken for 0.
const SMALLEST = 2 ** -1022

export function sketches(kind: string, error: number): Sketches {
  const width = Math.log1p((2 * error) / (1 - error))
  const binOf = (magnitude: number) => Math.ceil(Math.log(magnitude) / width)
  // In the middle of the bin, so that either end of it is off by the same relative error.
  const middle = Math.log1p(-error)
  const magnitudeOf = (bin: number) => Math.min(Math.exp(bin * width + middle), Number.MAX_VALUE)

  return {
    empty: () => ({ count: 0, zeros: 0, positive: new Map(), negative: new Map() }),
    add(sketch, number, weight) {
      sketch.count += weight
      if (number >= SMALLEST) change(sketch.positive, binOf(number), weight)
      else if (number <= -SMALLEST) change(sketch.negative, binOf(-number), weight)
      else sketch.zeros += weight
      return sketch
    },
    merge(a, b) {
      a.count += b.count
      a.zeros += b.zeros
      for (const [bin, count] of b.positive) change(a.positive, bin, count)
      for (const [bin, count] of b.negative) change(a.negative, bin, count)
      return a
    },
    clone: ({ count, zeros, positive, negative }) => ({
      count,
      zeros,
      positive: new Map(positive),
      negative: new Map(negative),
    }),
    quantiles(sketch, qs) {
      const steps = ascending(sketch, magnitudeOf)
      return qs.map((q) => {
        const rank = Math.floor(q * (sketch.count - 1))
        let below = 0
        for (const [number, count] of steps) {
          below += count
          if (below > rank) return number
        }
        return steps[steps.length - 1][0]
      })
    },
    state: {
      encode(sketch, out) {
        writeVarint(out, sketch.zeros)
        writeBins(out, sketch.negative)
        writeBins(out, sketch.positive)
      },
      decode(source, start, end) {
        const reader = new StateReader(kind, source, start, end)
        const zeros = reader.varint()
        const negative = readBins(reader)
        const positive = readBins(reader)
        reader.finish()
        return { count: zeros + total(negative) + total(positive), zeros, positive, negative }
      },
    },
  }
}

function change(bins: Bins, bin: number, weight: number): void {
  const count = (bins.get(bin) ?? 0) + weight
  if (count > 0) bins.set(bin, count)
  else bins.delete(bin)
}

/** Estimates and how many numbers each stands for, from the lowest up. */
function ascending({ zeros, positive, negative }: Sketch, magnitudeOf: (bin: number) => number): [number, number][] {
  const steps: [number, number][] = []
  for (const bin of sorted(negative).reverse()) steps.push([-magnitudeOf(bin), negative.get(bin)!])
  if (zeros > 0) steps.push([0, zeros])
  for (const bin of sorted(positive)) steps.push([magnitudeOf(bin), positive.get(bin)!])
  return steps
}

function sorted(bins: Bins): Int32Array {
  return Int32Array.from(bins.keys()).sort()
}

function total(bins: Bins): number {
  let sum = 0
  for (const count of bins.values()) sum += count
  return sum
}

/** How many, then for each its distance from the one before and its count. */
function writeBins(out: ByteWriter, bins: Bins): void {
  writeVarint(out, bins.size)
  let before = 0
  let first = true
  for (const bin of sorted(bins)) {
    // The first may be negative: zigzag.
    writeVarint(out, first ? (bin >= 0 ? bin * 2 : -bin * 2 - 1) : bin - before)
    writeVarint(out, bins.get(bin)!)
    before = bin
    first = false
  }
}

function readBins(reader: StateReader): Bins {
  const bins: Bins = new Map()
  let bin = 0
  const size = reader.varint()
  for (let i = 0; i < size; i++) {
    const step = reader.varint()
    if (i > 0) bin += step
    else bin = step % 2 === 0 ? step / 2 : -(step + 1) / 2
    bins.set(bin, reader.varint())
  }
  return bins
}
