import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { json, string, table, to, topology, toStream } from '../../src/index.ts'
import { byteSource } from '../../src/serde/bytes.ts'
import { type VersionedStore, versionedStore } from '../../src/state/versioned-store.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

const RETENTION = 20
const spec = versionedStore<string, number>({
  name: 's',
  key: string(),
  value: json<number>(),
  historyRetention: RETENTION,
})
const make = () => spec.create({ open: (serde, part) => serde.open({ topic: 't', part }) })

/** A changelog after compaction: the last value per key. */
function changelog() {
  const records = new Map<string, { key: Buffer; value: Buffer | null; timestamp: number }>()
  return {
    take(store: VersionedStore<string, number>) {
      store.flush((key, value, timestamp) => {
        const bytes = Buffer.from(key.bytes())
        records.set(bytes.toString('hex'), { key: bytes, value: value && Buffer.from(value.bytes()), timestamp })
      })
    },
    restored(): VersionedStore<string, number> {
      const store = make()
      for (const { key, value, timestamp } of records.values()) {
        const source = byteSource(Buffer.concat([key, value ?? Buffer.alloc(0)]))
        const end = value ? key.length + value.length : -1
        store.restore(source, 0, key.length, value ? key.length : -1, end, timestamp)
      }
      return store
    },
    live: () => [...records.values()].filter(({ value }) => value !== null).length,
  }
}

describe('a versioned store', () => {
  it('gives the value as of a time, rows out of order and deletions included', () => {
    const store = make()
    expect(store.put('k', 1, 10)).toBe('latest')
    expect(store.put('k', 3, 30)).toBe('latest')
    expect(store.put('k', 2, 20)).toBe('history')
    expect(store.put('k', null, 25)).toBe('history')
    expect([9, 10, 19, 20, 24, 25, 29, 30, 99].map((time) => store.asOf('k', time)?.value)).toEqual([
      undefined,
      1,
      1,
      2,
      2,
      undefined,
      undefined,
      3,
      3,
    ])
    expect(store.put('k', 0, 9)).toBe('expired')
    expect(store.put('other', 5, 60)).toBe('latest')
    expect(store.asOf('k', 35)?.value).toBe(3)
    expect(store.asOf('k', 25)?.value).toBeUndefined()
  })

  const step = fc.record({
    key: fc.constantFrom('a', 'b'),
    value: fc.option(fc.nat(9), { nil: null }),
    timestamp: fc.nat(100),
    next: fc.constantFrom('nothing', 'nothing', 'commit', 'restart'),
  })
  it('equals a plain list of all rows, over commits and restores', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let store = make()
        const log = changelog()
        const rows: { key: string; value: number | null; timestamp: number }[] = []
        let time = -1
        for (const { key, value, timestamp, next } of steps) {
          const expired = timestamp < time - RETENTION
          expect(store.put(key, value, timestamp) === 'expired').toBe(expired)
          time = Math.max(time, timestamp)
          if (!expired) {
            const known = rows.findIndex((row) => row.key === key && row.timestamp === timestamp)
            if (known >= 0) rows.splice(known, 1)
            rows.push({ key, value, timestamp })
          }
          if (next !== 'nothing') {
            store.expire()
            log.take(store)
          }
          if (next === 'restart') store = log.restored()
          for (const of of ['a', 'b']) {
            const own = rows.filter((row) => row.key === of).sort((a, b) => a.timestamp - b.timestamp)
            expect(store.latest(of)?.value).toBe(own.at(-1)?.value ?? undefined)
            for (let at = Math.max(0, time - RETENTION); at <= time + 1; at += 3) {
              const held = own.filter((row) => row.timestamp <= at).at(-1)
              expect(store.asOf(of, at)?.value).toBe(held?.value ?? undefined)
            }
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('forgets what the history has passed, in the changelog too', () => {
    const store = make()
    const log = changelog()
    for (let timestamp = 0; timestamp < 1_000; timestamp++) {
      store.put(`k${timestamp % 7}`, timestamp, timestamp)
      if (timestamp % 50 === 0) {
        store.expire()
        log.take(store)
      }
    }
    store.put('k0', null, 1_000)
    store.put('k1', 1, 1_100)
    store.expire()
    log.take(store)
    expect([...store.all()].map(({ key }) => key).sort()).toEqual(['k1', 'k2', 'k3', 'k4', 'k5', 'k6'])
    // The row before the newest of k1 is still seen from 1,080 on.
    expect(store.size).toBe(7)
    expect(log.live()).toBe(7)
  })
})

describe('table with a history', () => {
  const rows = table('rows', { key: string(), value: json<number>(), store: 'rows', historyRetention: RETENTION })
  const plain = topology('t', [rows.pipe(toStream(), to('out', { key: string(), value: json<number>() }))])
  const seen = (driver: TopologyDriver) =>
    driver.read('out').map(({ key, value, timestamp }) => [key, value, timestamp])

  it('hands on the newest rows alone, and counts what is older than the history', () => {
    const driver = new TopologyDriver(plain)
    driver.pipe('rows', 'k', 1, 50)
    driver.pipe('rows', 'k', 2, 40)
    driver.pipe('rows', 'k', 3, 29)
    driver.pipe('rows', 'k', null, 60)
    driver.pipe('rows', null, 4, 60)
    expect(seen(driver)).toEqual([
      ['k', 1, 50],
      ['k', null, 60],
    ])
    expect(driver.droppedByReason()).toEqual(
      new Map([
        ['expired', 1],
        ['null-key', 1],
      ]),
    )
  })

  it('holds updates back until the commit, and comes back from its changelog', () => {
    const driver = new TopologyDriver(plain, { emit: 'commit' })
    driver.pipe('rows', 'k', 1, 50)
    driver.pipe('rows', 'k', 2, 55)
    driver.pipe('rows', 'l', 2, 55)
    driver.pipe('rows', 'l', null, 56)
    driver.commit()
    expect(seen(driver)).toEqual([['k', 2, 55]])
    driver.restart()
    expect(driver.store('rows')).toEqual([{ key: 'k', start: 55, value: 2, timestamp: 55 }])
    driver.pipe('rows', 'k', null, 60)
    driver.commit()
    expect(seen(driver)).toEqual([['k', null, 60]])
  })

  it('refuses a history that is no span of time', () => {
    const build = () => table('rows', { key: string(), value: json<number>(), store: 'rows', historyRetention: -1 })
    expect(build).toThrow(/historyRetention/)
  })
})
