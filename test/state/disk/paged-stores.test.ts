import fc from 'fast-check'
import { expect, it } from 'vitest'
import { integer } from '../../../src/serde/numbers.ts'
import { string } from '../../../src/serde/string.ts'
import { joinStore } from '../../../src/state/join-store.ts'
import { sessionStore } from '../../../src/state/session-store.ts'
import { slidingStore } from '../../../src/state/sliding-store.ts'
import { type Entry, type StateStore, serdeValue } from '../../../src/state/store.ts'
import { subscriptionStore } from '../../../src/state/subscription-store.ts'
import { timeBuffer } from '../../../src/state/time-buffer.ts'
import { versionedStore } from '../../../src/state/versioned-store.ts'
import type { StoreSpec } from '../../../src/topology/store-spec.ts'
import { restored, writeInto } from '../../support/changelog.ts'
import { storesOnDisk } from '../../support/disk-stores.ts'

/** What one operation answers, of one store. */
type Operation<S> = (store: S) => unknown

/**
 * The same operations, flushes and restarts on a store in memory and on one that keeps nothing in memory beyond a flush:
 * the same answers, and the same content.
 */
function sameAnswers<S extends StateStore>(
  name: string,
  spec: StoreSpec<S>,
  operations: readonly fc.Arbitrary<Operation<NoInfer<S>>>[],
  { exact = true } = {},
) {
  const onDisk = storesOnDisk()
  const roomy = storesOnDisk(1_500)
  const steps = fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.oneof(...operations).map((run) => ({ kind: 'do' as const, run })) },
      { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const, run: undefined }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const, run: undefined }) },
    ),
    { maxLength: 80 },
  )
  it(`${name} answers on disk as in memory`, () => {
    fc.assert(
      fc.property(steps, (all) => {
        const specs = [spec, onDisk(spec), roomy(spec)]
        const changelogs = specs.map(() => new Map<string, Buffer | null>())
        const stores = specs.map((one) => restored(one, new Map()))
        for (const { kind, run } of all) {
          if (kind === 'do') {
            const [memory, ...others] = stores.map(run)
            for (const other of others) expect(other).toEqual(memory)
            continue
          }
          for (const [i, store] of stores.entries()) {
            writeInto(store, changelogs[i])
            if (kind === 'flush') continue
            store.close?.()
            stores[i] = restored(specs[i], changelogs[i])
            expiredBefore.set(stores[i], expiredBefore.get(store) ?? 0)
          }
        }
        if (exact) {
          const [memory, ...others] = stores.map(contentOf)
          for (const other of others) expect(other).toEqual(memory)
        }
        for (const store of stores) store.close?.()
      }),
    )
  })
}

const contentOf = (store: StateStore) => entriesOf([...(store.history?.() ?? store.all())])
const entriesOf = (entries: readonly Entry<unknown, unknown>[]) =>
  entries.map(({ key, start, value, timestamp }) => JSON.stringify([key, start, value, timestamp])).sort()

const key = fc.constantFrom('a', 'b', 'a key of more than thirteen characters', 'ä', '')
const time = fc.nat(40)
const value = fc.nat(100)
const common = { name: 'store', key: string(), value: serdeValue(integer()) }

/** What has expired may be there a little longer: it is not asked for. */
const expiredBefore = new WeakMap<object, number>()

sameAnswers(
  'a join store',
  joinStore({ name: 'store', key: string(), value: integer(), retention: 20 }),
  [
    fc.tuple(key, time, value).map(
      ([of, at, v]) =>
        (store) =>
          store.put(of, at, v),
    ),
    fc.tuple(key, time, time).map(([of, from, length]) => (store) => {
      const found: unknown[] = []
      const oldest = Math.max(from, expiredBefore.get(store) ?? 0)
      const any = store.fetch(of, oldest, from + length, (...one) => found.push(one))
      return [any, found]
    }),
    time.map((before) => (store) => {
      store.expire(before)
      expiredBefore.set(store, Math.max(before, expiredBefore.get(store) ?? 0))
    }),
  ],
  { exact: false },
)

sameAnswers('a time buffer', timeBuffer({ name: 'store', key: string(), value: integer() }), [
  fc.tuple(key, time, value).map(
    ([of, at, v]) =>
      (store) =>
        store.add(of, at, v),
  ),
  fc.tuple(key, time).map(
    ([of, at]) =>
      (store) =>
        store.remove(of, at),
  ),
  time.map((before) => (store) => [...store.take(before)]),
  fc.constant((store) => store.size),
])

sameAnswers(
  'a versioned store',
  versionedStore({ name: 'store', key: string(), value: integer(), historyRetention: 16 }),
  [
    fc.tuple(key, time, fc.option(value)).map(
      ([of, at, v]) =>
        (store) =>
          store.put(of, v, at),
    ),
    key.map((of) => (store) => store.latest(of)),
    fc.tuple(key, time).map(
      ([of, at]) =>
        (store) =>
          store.asOf(of, at),
    ),
    fc.constant((store) => store.expire()),
    fc.constant((store) => entriesOf([...store.all()])),
    fc.constant((store) => store.size),
  ],
)

sameAnswers('a store of subscriptions', subscriptionStore({ name: 'store', foreignKey: string(), key: string() }), [
  fc.tuple(key, key, value).map(
    ([foreign, of, hash]) =>
      (store) =>
        store.put(foreign, of, hash, hash),
  ),
  fc.tuple(key, key, time).map(
    ([foreign, of, at]) =>
      (store) =>
        store.remove(foreign, of, at),
  ),
  key.map((foreign) => (store) => entriesOf([...store.of(foreign)])),
  fc.constant((store) => store.size),
])

sameAnswers('a sliding store', slidingStore({ ...common, span: 1 }), [
  fc.tuple(key, time, value).map(([of, at, v]) => (store) => {
    const entry = store.windows(of).find(({ start }) => start === at) ?? store.create(at, of, v, at)
    entry.value = v
    store.touch(entry)
  }),
  key.map((of) => (store) => entriesOf(store.windows(of))),
  fc.tuple(time, time).map(
    ([after, length]) =>
      (store) =>
        entriesOf(store.between(after, after + length)),
  ),
  time.map((before) => (store) => store.expire(before)),
  fc.constant((store) => store.size),
])

/** Sessions grow and close as time goes on; each is given once, in order. */
it('sessions on disk close as in memory, however they grow between commits', () => {
  const onDisk = storesOnDisk()
  const spec = sessionStore({ ...common, span: 1 })
  const step = fc.record({ kind: fc.constantFrom('put', 'put', 'close', 'flush'), of: key, at: time, v: value })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const given = [spec, onDisk(spec)].map((one) => {
        const store = restored(one, new Map())
        const closings = store.closings()
        const out: unknown[] = []
        let closed = -1
        for (const { kind, of, at, v } of [...steps, { kind: 'close', of: '', at: 41, v: 0 }]) {
          if (kind === 'flush') store.flush(() => {})
          else if (kind === 'close') {
            if (at < closed) continue
            closed = at
            if (closings.next > closed) continue
            for (const { key: name, start, timestamp, value: held } of closings.take(closed)) {
              out.push([name, start, timestamp, held])
            }
          } else if (at > closed) {
            const open = store.sessions(of).find(({ timestamp }) => timestamp > closed)
            if (open === undefined) {
              const made = store.create(of, at, at, v)
              store.touch(made)
              closings.expect(made)
            } else {
              store.widen(open, Math.min(open.start, at), Math.max(open.timestamp, at))
              open.value = v
              store.touch(open)
            }
          }
        }
        store.close?.()
        return out
      })
      expect(given[1]).toEqual(given[0])
    }),
  )
})
