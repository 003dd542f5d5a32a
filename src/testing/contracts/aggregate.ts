import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Aggregate } from '../../aggregates/aggregate.ts'
import { rowOf, rowWriter } from '../../aggregates/row.ts'
import { ByteWriter, byteSource } from '../../serde/bytes.ts'

export interface AggregateCase<V, A, R> {
  readonly make: () => Aggregate<V, A, R>
  /** Values to aggregate. */
  readonly values: fc.Arbitrary<V>
  /** What is wrong between two results that should be the same, by an assertion. Default: `toEqual`. */
  readonly same?: (actual: R, expected: R) => void
  /**
   * The same where only the order in which values came differs: after taking one out from the middle. Default: `same`.
   */
  readonly sameUnordered?: (actual: R, expected: R) => void
}

type Timed<V> = readonly [value: V, timestamp: number]

/**
 * The laws of an aggregate; run it on your own too. What it does not offer (`merge`, `remove`) is not tested.
 *
 * @example
 * ```ts
 * aggregateContract('sum', { make: () => sum((n: number) => n), values: fc.integer() })
 * ```
 */
export function aggregateContract<V, A, R>(name: string, options: AggregateCase<V, A, R>): void {
  const { make, values, same = (actual, expected) => expect(actual).toEqual(expected) } = options
  const { sameUnordered = same } = options
  const aggregate = make()
  const timed: fc.Arbitrary<Timed<V>> = fc.tuple(values, fc.nat(50))
  const some = fc.array(timed, { maxLength: 40 })
  const fold = (items: readonly Timed<V>[], from = aggregate.init()): A =>
    items.reduce((accumulator, [value, timestamp]) => aggregate.add(accumulator, value, timestamp), from)
  const folded = (items: readonly Timed<V>[]): R => aggregate.result(fold(items))
  const clone = (accumulator: A): A => (aggregate.clone ?? structuredClone)(accumulator)
  const encoded = (accumulator: A): Uint8Array => {
    const out = new ByteWriter(1)
    aggregate.state.encode(accumulator, out)
    return new Uint8Array(out.bytes())
  }
  const decoded = (bytes: Uint8Array): A => aggregate.state.decode(byteSource(bytes), 0, bytes.length)

  describe(`aggregate contract: ${name}`, () => {
    it('gives the same result for the same values', () => {
      fc.assert(
        fc.property(some, (items) => {
          expect(folded(items)).toEqual(folded(items))
        }),
      )
    })

    it('gives results that later values do not change', () => {
      fc.assert(
        fc.property(some, some, (before, after) => {
          const accumulator = fold(before)
          const result = aggregate.result(accumulator)
          fold(after, accumulator)
          expect(result).toEqual(folded(before))
        }),
      )
    })

    it('clones into something independent', () => {
      fc.assert(
        fc.property(some, some, (before, after) => {
          const accumulator = fold(before)
          const copy = clone(accumulator)
          same(aggregate.result(fold(after, copy)), folded([...before, ...after]))
          same(aggregate.result(accumulator), folded(before))
          const second = clone(accumulator)
          fold(after, accumulator)
          same(aggregate.result(second), folded(before))
        }),
      )
    })

    it('comes back from its serialised form, and goes on from there', () => {
      fc.assert(
        fc.property(some, some, (before, after) => {
          const bytes = encoded(fold(before))
          if (aggregate.state.size !== undefined) expect(bytes.length).toBe(aggregate.state.size)
          same(aggregate.result(decoded(bytes)), folded(before))
          expect(encoded(decoded(bytes))).toEqual(bytes)
          same(aggregate.result(fold(after, decoded(bytes))), folded([...before, ...after]))
        }),
      )
    })

    it('is read from the middle of other bytes, and keeps none of them', () => {
      fc.assert(
        fc.property(some, fc.uint8Array({ maxLength: 5 }), (items, around) => {
          const bytes = encoded(fold(items))
          const all = new Uint8Array([...around, ...bytes, ...around])
          const start = around.length
          const accumulator = aggregate.state.decode(byteSource(all), start, start + bytes.length)
          all.fill(255)
          same(aggregate.result(accumulator), folded(items))
        }),
      )
    })

    it('refuses bytes that are cut short or too long', () => {
      fc.assert(
        fc.property(some, fc.nat(), (items, cut) => {
          const bytes = encoded(fold(items))
          if (bytes.length === 0) return
          const faulty = [new Uint8Array([...bytes, 0]), bytes.subarray(0, cut % bytes.length)]
          for (const bad of faulty) {
            // Some forms have more than one length; then what comes back must be that very form.
            let accumulator: A
            try {
              accumulator = decoded(bad)
            } catch (error) {
              expect(error).toMatchObject({ code: 'UNDECODABLE_RECORD' })
              continue
            }
            expect(encoded(accumulator)).toEqual(new Uint8Array(bad))
          }
        }),
      )
    })

    const row = rowOf<A, R>(aggregate)
    if (row) {
      it('is the same as a row of numbers, to the last bit', () => {
        const block = new Float64Array(row.width + 2)
        const written = (of: Float64Array) => {
          const out = new ByteWriter()
          rowWriter(row, aggregate.state)(of, 1, out)
          return new Uint8Array(out.bytes())
        }
        const put = (value: V, timestamp: number) => {
          const read = aggregate.field ? aggregate.field.read(value) : value
          if (!aggregate.field || read !== null) row.put(block, 1, read, timestamp)
        }
        fc.assert(
          fc.property(some, some, (before, after) => {
            row.save(block, 1, aggregate.init())
            for (const item of before) put(...item)
            const first = fold(before)
            expect(row.result(block, 1)).toStrictEqual(aggregate.result(first))
            expect(encoded(row.load(block, 1))).toEqual(encoded(first))
            expect(written(block)).toEqual(encoded(first))
            // From a changelog, and on.
            row.save(block, 1, decoded(encoded(first)))
            for (const item of after) put(...item)
            const second = fold(after, decoded(encoded(first)))
            expect(encoded(row.load(block, 1))).toEqual(encoded(second))
            expect(written(block)).toEqual(encoded(second))
            expect(row.result(block, 1)).toStrictEqual(aggregate.result(second))
            expect([block[0], block[row.width + 1]]).toEqual([0, 0])
          }),
        )
      })
    }

    if (aggregate.merge) {
      const merge = aggregate.merge.bind(aggregate)

      it('merges what was aggregated apart, wherever it was cut', () => {
        fc.assert(
          fc.property(some, some, (first, second) => {
            const b = fold(second)
            same(aggregate.result(merge(fold(first), b)), folded([...first, ...second]))
            same(aggregate.result(b), folded(second))
          }),
        )
      })

      it('merges in any grouping', () => {
        fc.assert(
          fc.property(some, some, some, (a, b, c) => {
            const left = merge(merge(fold(a), fold(b)), fold(c))
            const right = merge(fold(a), merge(fold(b), fold(c)))
            same(aggregate.result(left), aggregate.result(right))
          }),
        )
      })

      it('comes to the same in the order of time and in any grouping, where it is commutative', () => {
        if (!aggregate.commutative) return
        expect(aggregate.neutral).toBe(true)
        fc.assert(
          fc.property(some, fc.array(fc.nat(40)), (items, cuts) => {
            const sorted = items.toSorted(([, a], [, b]) => a - b)
            const bounds = [0, ...cuts.filter((cut) => cut < sorted.length), sorted.length].sort((a, b) => a - b)
            const parts = bounds.slice(1).map((end, i) => fold(sorted.slice(bounds[i], end)))
            const whole = parts.reduceRight((sum, part) => merge(part, sum), aggregate.init())
            same(aggregate.result(whole), folded(items))
          }),
        )
      })

      it('leaves what is merged into a fresh accumulator as it is, where it is neutral', () => {
        if (!aggregate.neutral) return
        fc.assert(
          fc.property(some, some, (before, after) => {
            const accumulator = merge(aggregate.init(), fold(before))
            expect(encoded(accumulator)).toEqual(encoded(fold(before)))
            expect(encoded(fold(after, accumulator))).toEqual(encoded(fold(after, fold(before))))
          }),
        )
      })

      it('merges with a fresh accumulator into the same', () => {
        fc.assert(
          fc.property(some, (items) => {
            same(aggregate.result(merge(aggregate.init(), fold(items))), folded(items))
            same(aggregate.result(merge(fold(items), aggregate.init())), folded(items))
          }),
        )
      })

      it('keeps nothing of what it merged in', () => {
        fc.assert(
          fc.property(some, some, some, (first, second, later) => {
            const b = fold(second)
            const merged = merge(fold(first), b)
            fold(later, merged)
            same(aggregate.result(b), folded(second))
            const other = fold(second)
            const result = merge(fold(first), other)
            fold(later, other)
            same(aggregate.result(result), folded([...first, ...second]))
          }),
        )
      })
    }

    if (aggregate.remove) {
      const remove = aggregate.remove.bind(aggregate)

      it('takes the last value out again', () => {
        fc.assert(
          fc.property(some, timed, (items, [value, timestamp]) => {
            const added = aggregate.add(fold(items), value, timestamp)
            same(aggregate.result(remove(added, value, timestamp)), folded(items))
          }),
        )
      })

      it('takes any earlier value out', () => {
        fc.assert(
          fc.property(some, timed, some, (before, item, after) => {
            const all = fold([...before, item, ...after])
            sameUnordered(aggregate.result(remove(all, ...item)), folded([...before, ...after]))
          }),
        )
      })

      it('is empty once everything is taken out', () => {
        fc.assert(
          fc.property(some, (items) => {
            const emptied = items.reduce((accumulator, item) => remove(accumulator, ...item), fold(items))
            same(aggregate.result(emptied), folded([]))
          }),
        )
      })
    }
  })
}
