import { expect, it } from 'vitest'
import { count } from '../../src/aggregates/index.ts'
import { rowOf } from '../../src/aggregates/row.ts'
import { long } from '../../src/serde/numbers.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { string } from '../../src/serde/string.ts'
import { sessionStore } from '../../src/state/session-store.ts'
import { slidingStore } from '../../src/state/sliding-store.ts'
import { type Entry, type StateStore, serdeValue } from '../../src/state/store.ts'
import { versionedStore } from '../../src/state/versioned-store.ts'
import { windowStore } from '../../src/state/window-store.ts'
import type { StoreSpec } from '../../src/topology/store-spec.ts'
import { storesOnDisk } from '../support/disk-stores.ts'

const common = { name: 'store', key: string(), value: serdeValue(long()) }
const times = [10, 20, 30, 40, 50, 60]
const left = [40, 50, 60]

/** Puts a value of one key in at each of these times; lets go of what is before 40. */
interface Aged<S extends StateStore> {
  readonly spec: StoreSpec<S>
  put(store: S, time: number): void
  expire(store: S): void
}

const aged = <S extends StateStore>(of: Aged<S>) => of as unknown as Aged<StateStore>
const sliding = aged({
  spec: slidingStore<string, number>({ ...common, span: 1 }),
  put: (store, time) => store.touch(store.create(time, 'a', time, time)),
  expire: (store) => store.expire(40),
})
const session = aged({
  spec: sessionStore<string, number>({ ...common, span: 1 }),
  put: (store, time) => store.touch(store.create('a', time, time, time)),
  expire: (store) => store.expire(40),
})
const versioned = aged({
  spec: versionedStore<string, number>({ name: 'store', key: string(), value: long(), historyRetention: 20 }),
  put: (store, time) => store.put('a', time, time),
  expire: (store) => store.expire(),
})
const rows = aged({
  spec: windowStore<string, number>({ ...common, row: rowOf(count()) }),
  put: (store, time) => store.touch(store.create(time, 'a', time, time)),
  expire(store) {
    for (const start of store.starts()) if (start < 40) store.forget(start)
  },
})
const onDisk = storesOnDisk()

it.each([
  ['sliding windows', sliding],
  ['sessions', session],
  ['versions', versioned],
  ['windows of rows', rows],
  ['sliding windows on disk', { ...sliding, spec: onDisk(sliding.spec) }],
  ['sessions on disk', { ...session, spec: onDisk(session.spec) }],
  ['versions on disk', { ...versioned, spec: onDisk(versioned.spec) }],
])(
  'a walk over %s, as a snapshot makes it, leaves out nothing when some expire meanwhile',
  (_, { spec, put, expire }) => {
    const store = spec.create({ open: <T>(serde: Serde<T>, part: 'key' | 'value') => serde.open({ topic: 't', part }) })
    for (const time of times) put(store, time)
    store.flush(() => {})
    const walk = (store.history?.() ?? store.all())[Symbol.iterator]() as Iterator<Entry<unknown, unknown>>
    const seen = [walk.next().value as Entry<unknown, unknown>]
    expire(store)
    store.flush(() => {})
    for (let next = walk.next(); !next.done; next = walk.next()) seen.push(next.value)
    const starts = seen.map(({ start }) => start)
    expect(starts).toEqual(expect.arrayContaining(left))
  },
)
