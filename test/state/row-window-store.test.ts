import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { combine, count, sum } from '../../src/aggregates/index.ts'
import { rowOf } from '../../src/aggregates/row.ts'
import { byteSource } from '../../src/serde/bytes.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { type WindowStore, windowStore } from '../../src/state/window-store.ts'

const numbers = combine({ n: count(), total: sum((n: number) => n) })
type Numbers = ReturnType<typeof numbers.init>
const common = { name: 'store', key: string(), value: () => numbers.state }
const open = (row?: ReturnType<typeof rowOf<Numbers, unknown>>) =>
  windowStore<string, Numbers>({ ...common, row }).create({
    open: (serde, part) => serde.open({ topic: 'changelog', part }),
  })

const step = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'remove', 'forget', 'release', 'flush'),
  key: fc.constantFrom('a', 'b', 'c'),
  start: fc.nat(3),
  value: fc.double({ noNaN: true }),
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function take(store: WindowStore<string, Numbers>, { kind, key, start, value }: Step): string[] {
  const written: string[] = []
  const found = store.find(start, key)
  if (kind === 'put') {
    const all = numbers.add(found?.value ?? numbers.init(), value, start)
    const entry = found ?? store.create(start, key, all, start)
    entry.value = all
    entry.timestamp = Math.max(entry.timestamp, value)
    store.touch(entry)
  } else if (kind === 'remove') {
    if (found) store.remove(found)
  } else if (kind === 'forget') store.forget(start)
  else if (kind === 'release') store.release!(start)
  else
    store.flush((key, value, timestamp) => {
      const bytes = value && Buffer.from(value.bytes()).toString('hex')
      written.push(`${Buffer.from(key.bytes()).toString('hex')}=${bytes}@${timestamp}`)
    })
  // Keys of one flush have no order.
  return written.sort()
}

/** What somebody downstream is still to be told: of what was made and is gone again nothing. */
const shown = (store: WindowStore<string, Numbers>) =>
  store.changed().flatMap(({ key, start, value }) => (value === null ? [] : [[key, start, value]]))

describe('a window store of rows', () => {
  it('writes the very changelog that one of objects writes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [rows, objects] = [open(rowOf(numbers)), open()]
        expect(rows.rows).toBeDefined()
        expect(objects.rows).toBeUndefined()
        for (const one of [...steps, { kind: 'flush', key: 'a', start: 0, value: 0 } as const]) {
          expect(take(rows, one)).toEqual(take(objects, one))
          expect(rows.size).toBe(objects.size)
          expect(rows.starts()).toEqual(objects.starts())
          expect(shown(rows)).toEqual(shown(objects))
        }
      }),
    )
  })

  it('shows an entry that is gone as deleted, even when its row is used again', () => {
    const store = open(rowOf(numbers))
    const entry = store.create(0, 'a', numbers.init(), 5)
    const { rows } = store
    const slot = rows!.find(0, 'a')
    store.forget(0)
    expect(entry.value).toBeNull()
    store.create(0, 'b', numbers.add(numbers.init(), 1, 1), 6)
    expect(rows!.find(0, 'b')).toBe(slot)
    expect(entry.value).toBeNull()
    const written: unknown[] = []
    store.writeEntry(entry, (key) => written.push(key))
    expect(written).toEqual([])
  })

  it('has one entry for a row that somebody knows by its identity', () => {
    const { rows, ...store } = open(rowOf(numbers))
    store.create(0, 'a', numbers.init(), 5)
    const named = rows!.entry(rows!.find(0, 'a'))
    expect(rows!.entry(rows!.find(0, 'a'))).toBe(named)
    expect(store.find(0, 'a')).toBe(named)
    expect(store.entries(0)).toEqual([named])
    expect([...store.all()]).toEqual([named])
  })

  it('forgets what was given out of a row when the changelog says anew what it holds', () => {
    const { rows, ...store } = open(rowOf(numbers))
    const written: { key: Buffer; value: Buffer }[] = []
    const flush = () =>
      store.flush((key, value) => {
        written.push({ key: Buffer.from(key.bytes()), value: Buffer.from(value!.bytes()) })
      })
    const slot = rows!.find(0, store.create(0, 'a', numbers.init(), 5).key)
    rows!.touch(slot)
    rows!.entry(slot).given = 'what came out of it here'
    flush()
    const [{ key, value }] = written
    const source = byteSource(Buffer.concat([key, value]))
    store.restore(source, 0, key.length, key.length, key.length + value.length, 6)
    expect(rows!.entry(slot).given).toBeUndefined()
  })

  it('tells keys that are objects apart by what is in them', () => {
    const store = windowStore<{ id: number }, Numbers>({ ...common, key: json(), row: rowOf(numbers) }).create({
      open: (serde, part) => serde.open({ topic: 'changelog', part }),
    })
    for (const id of [1, 2, 3]) store.touch(store.create(0, { id }, numbers.init(), id))
    const rows = store.rows!
    expect([1, 2, 3].map((id) => rows.timestamp(rows.find(0, { id })))).toEqual([1, 2, 3])
    expect(rows.find(0, { id: 4 })).toBe(-1)
    store.remove(store.find(0, { id: 2 })!)
    store.flush(() => {})
    expect(rows.find(0, { id: 2 })).toBe(-1)
    store.create(0, { id: 5 }, numbers.init(), 5)
    expect(rows.timestamp(rows.find(0, { id: 5 }))).toBe(5)
    expect(rows.timestamp(rows.find(0, { id: 3 }))).toBe(3)
  })
})
