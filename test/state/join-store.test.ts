import fc from 'fast-check'
import { expect, it } from 'vitest'
import { json } from '../../src/serde/json.ts'
import { integer } from '../../src/serde/numbers.ts'
import { string } from '../../src/serde/string.ts'
import { type JoinStore, joinStore } from '../../src/state/join-store.ts'
import type { Entry } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/store-spec.ts'
import { type Changelog, restored, writeInto } from '../support/changelog.ts'
import { storesOnDisk } from '../support/disk-stores.ts'

const RETENTION = 40
/** A quarter of the retention goes at once. */
const SPAN = 10

interface Put {
  readonly key: string
  readonly time: number
  readonly value: string
}

const options = { name: 'join', key: string(), value: string(), retention: RETENTION }
const store = joinStore(options)
const key = fc.constantFrom('a', 'b', 'a key of more than thirteen characters', 'ä', '')
const time = fc.nat(80)
// Some that a copy takes by words, some with a rest, some by a native call, some larger than a block.
const value = fc.oneof(
  fc.string({ maxLength: 9 }),
  fc.tuple(fc.constantFrom('x', 'é'), fc.constantFrom(40, 63, 129, 1000, 1_100_000)).map(([c, n]) => c.repeat(n)),
)
const put = fc.record({ key, time, value })
type Step =
  | { readonly kind: 'put'; readonly records: readonly Put[] }
  | { readonly kind: 'fetch'; readonly key: string; readonly from: number; readonly length: number }
  | { readonly kind: 'expire'; readonly time: number }
  | { readonly kind: 'flush' | 'restart' | 'follow' }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), records: fc.array(put, { maxLength: 8 }) }) },
  // A burst that fills blocks.
  {
    weight: 1,
    arbitrary: fc.tuple(key, time, fc.integer({ min: 200, max: 600 })).map(([of, at, n]) => ({
      kind: 'put' as const,
      records: Array.from({ length: n }, (_, i) => ({ key: of, time: at + ((i * 7) % 13), value: `${i}` })),
    })),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('fetch' as const), key, from: time, length: fc.nat(40) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire' as const), time }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'restart' as const, 'follow' as const) }),
  },
)

/** Records of one key and time stay in the order in which they came. */
const inOrder = (records: readonly Put[]) => records.toSorted((a, b) => a.time - b.time)

function answersAsAList(name: string, spec: StoreSpec<JoinStore<string, string>>, runs: number) {
  it(`${name} answers as a list of records does, through commits, restarts and standbys`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let own = restored(spec, new Map())
        let standby = restored(spec, new Map())
        const changelog: Changelog = new Map()
        let model: Put[] = []
        const commit = () => {
          const written: Changelog = new Map()
          writeInto(own, written)
          for (const [at, bytes] of written) changelog.set(at, bytes)
          follow(standby, written)
        }
        for (const one of steps) {
          if (one.kind === 'put') {
            for (const { key, time, value } of one.records) own.put(key, time, value)
            model.push(...one.records)
          } else if (one.kind === 'fetch') {
            const to = one.from + one.length
            const found: unknown[] = []
            const any = own.fetch(one.key, one.from, to, (at, of) => found.push([at, of]))
            const wanted = inOrder(model.filter((of) => of.key === one.key && of.time >= one.from && of.time <= to))
            expect(found).toEqual(wanted.map(({ time, value }) => [time, value]))
            expect(any).toBe(wanted.length > 0)
          } else if (one.kind === 'expire') {
            const end = Math.floor(one.time / SPAN) * SPAN
            own.expire(end)
            model = model.filter(({ time }) => time >= end)
          } else {
            commit()
            if (one.kind === 'restart') {
              own.close?.()
              own = restored(spec, changelog)
            } else if (one.kind === 'follow') [own, standby] = [standby, own]
          }
          expect(own.size).toBe(model.length)
        }
        commit()
        const wanted = inOrder(model).map(({ key, time, value }) => `${key} ${time} ${value}`)
        for (const each of [own, standby, restored(spec, changelog)]) {
          expect(content(each)).toEqual(wanted.toSorted())
          each.close?.()
        }
        expect([...changelog.values()].filter((bytes) => bytes !== null)).toHaveLength(model.length)
      }),
      { numRuns: runs },
    )
  })
}

const content = (of: JoinStore<string, string>) =>
  [...(of.all() as Iterable<Entry<string, string>>)].map(({ key, start, value }) => `${key} ${start} ${value}`).sort()

/** What `restored` does, into a store that is there. */
function follow(into: JoinStore<string, string>, written: Changelog): void {
  restored({ ...store, create: () => into }, written)
}

const onDisk = storesOnDisk()
answersAsAList('a join store', store, 40)
answersAsAList('a join store on disk', onDisk(store), 15)

it('two stores that are asked together know nothing of each other', () => {
  const together = {}
  const sides = ['left', 'right'].map((name) => joinStore({ ...options, name, together }))
  const one = fc.record({
    side: fc.constantFrom(0, 1),
    kind: fc.constantFrom('put', 'put', 'put', 'expire'),
    // Many keys: they have numbers that the other side has never heard of.
    key: fc.nat(40).map((n) => `key ${n}`),
    time,
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 300 }), (steps) => {
      const shared = new Map<object, unknown>()
      const share = <T>(by: object, make: () => T): T => (shared.get(by) ?? shared.set(by, make()).get(by)) as T
      const stores = sides.map((spec) =>
        spec.create({ open: (serde, part) => serde.open({ topic: 't', part }), share }),
      )
      expect(shared.size).toBe(1)
      const models: Put[][] = [[], []]
      for (const [i, { side, kind, key, time }] of steps.entries()) {
        if (kind === 'put') {
          stores[side].put(key, time, `${i}`)
          models[side].push({ key, time, value: `${i}` })
        } else {
          stores[side].expire(time)
          models[side] = models[side].filter((of) => of.time >= Math.floor(time / SPAN) * SPAN)
          stores[side].flush(() => {})
        }
        for (const [own, model] of models.entries()) {
          const found: string[] = []
          stores[own].fetch(key, 0, 100, (_, value) => found.push(value))
          expect(found).toEqual(inOrder(model.filter((of) => of.key === key)).map(({ value }) => value))
          expect(stores[own].size).toBe(model.length)
        }
      }
    }),
  )
})

it('a record that cannot be written leaves nothing behind', () => {
  const numbers = joinStore({ name: 'join', key: string(), value: integer(), retention: RETENTION })
  const own = restored(numbers, new Map())
  own.put('a', 1, 1)
  expect(() => own.put('a', 2, 0.5)).toThrow(expect.objectContaining({ code: 'UNENCODABLE_RECORD' }))
  own.put('a', 3, 3)
  const changelog: Changelog = new Map()
  writeInto(own, changelog)
  expect(changelog.size).toBe(2)
  const seen: unknown[] = []
  restored(numbers, changelog).fetch('a', 0, 9, (...one) => seen.push(one))
  expect(seen).toEqual([
    [1, 1],
    [3, 3],
  ])
})

it('what a joiner does to a value does not reach the changelog', () => {
  const objects = joinStore({ name: 'join', key: string(), value: json<{ n: number }>(), retention: RETENTION })
  const own = restored(objects, new Map())
  const given = { n: 1 }
  own.put('a', 1, given)
  given.n = 2
  const change = () =>
    own.fetch('a', 0, 9, (_, value) => {
      value.n++
    })
  for (let i = 0; i < 3; i++) change()
  const changelog: Changelog = new Map()
  writeInto(own, changelog)
  const seen: unknown[] = []
  restored(objects, changelog).fetch('a', 0, 9, (_, value) => seen.push(value))
  expect(seen).toEqual([{ n: 1 }])
})

it('a value that is read often is decoded twice, and is not taken for one that lies where it lay', () => {
  let decoded = 0
  const plain = string()
  const counting: typeof plain = {
    ...plain,
    open(context) {
      const codec = plain.open(context)
      return {
        ...codec,
        decode(source, start, end) {
          decoded++
          return codec.decode(source, start, end)
        },
      }
    },
  }
  const own = restored(joinStore({ ...options, value: counting }), new Map())
  const read = (from: number) => {
    const seen: string[] = []
    for (let i = 0; i < 10; i++) own.fetch('a', from, from + 5, (_, value) => seen.push(value))
    return new Set(seen)
  }
  for (let round = 0; round < 5; round++) {
    own.put('a', round * SPAN, `value ${round}`)
    expect(read(round * SPAN)).toEqual(new Set([`value ${round}`]))
    expect(decoded).toBe((round + 1) * 2)
    own.expire((round + 1) * SPAN)
    own.flush(() => {})
  }
})

it('a walk, as a snapshot makes it, leaves out nothing when some expire meanwhile', () => {
  const own = restored(store, new Map())
  for (let at = 0; at < 60; at++) for (let n = 0; n < 40; n++) own.put('a', at, `${n}`)
  own.flush(() => {})
  const walk = own.all()[Symbol.iterator]()
  const seen = [walk.next().value as Entry<string, string>]
  own.expire(30)
  own.flush(() => {})
  // Their memory is used again.
  for (let n = 0; n < 2000; n++) own.put('b', 59, `${n}`)
  own.flush(() => {})
  for (let next = walk.next(); !next.done; next = walk.next()) seen.push(next.value as Entry<string, string>)
  const names = new Set(seen.map(({ key, start, value }) => `${key} ${start} ${value}`))
  for (let at = 30; at < 60; at++) for (let n = 0; n < 40; n++) expect(names).toContain(`a ${at} ${n}`)
})
