import fc from 'fast-check'
import { numberRow } from '../../src/aggregates/row.ts'
import { integer } from '../../src/serde/numbers.ts'
import { string } from '../../src/serde/string.ts'
import { type KeyValueStore, keyValueStore } from '../../src/state/key-value-store.ts'
import { type Session, type SessionStore, sessionStore } from '../../src/state/session-store.ts'
import { type SlidingStore, slidingStore } from '../../src/state/sliding-store.ts'
import { serdeValue } from '../../src/state/store.ts'
import { type WindowStore, windowStore } from '../../src/state/window-store.ts'
import { type StoreUnderTest, storeContract } from '../../src/testing/contracts/store.ts'
import { storesOnDisk } from '../support/disk-stores.ts'

const onDisk = storesOnDisk()

// Some longer than what V8 copies, and one that is not ASCII.
const key: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'a key of more than thirteen characters', 'ä')
const start = fc.nat(12)
const common = { name: 'store', key: string(), value: serdeValue(integer()) }

const keyValue: Omit<StoreUnderTest<KeyValueStore<string, number>, string>, 'spec'> = {
  ids: key,
  put(store, id, value) {
    const entry = store.find(id) ?? store.create(id, value, 0)
    entry.value = value
    store.touch(entry)
  },
  remove: (store, id) => store.remove(store.find(id)!),
  has: (store, id) => store.find(id) !== undefined,
  content: (store) => store.entries().map((entry) => [entry.key, entry.value!]),
}
storeContract('key-value', { spec: keyValueStore(common), ...keyValue })
storeContract('key-value on disk', { spec: onDisk(keyValueStore(common)), ...keyValue })

type WindowId = readonly [key: string, start: number]
const windowIds = fc.tuple(key, start)

const window: Omit<StoreUnderTest<WindowStore<string, number>, WindowId>, 'spec'> = {
  ids: windowIds,
  put(store, [id, at], value) {
    const entry = store.find(at, id) ?? store.create(at, id, value, at)
    entry.value = value
    store.touch(entry)
  },
  remove: (store, [id, at]) => store.remove(store.find(at, id)!),
  has: (store, [id, at]) => store.find(at, id) !== undefined,
  content: (store) =>
    store
      .starts()
      .flatMap((at) => [...store.entries(at)].map((entry) => [[entry.key, entry.start], entry.value!] as const)),
  others: [
    function forget(store, model, [, at]) {
      store.forget(at)
      for (const id of model.keys()) if (JSON.parse(id)[1] === at) model.delete(id)
    },
  ],
}
storeContract('window', { spec: windowStore(common), ...window })
storeContract('window of rows', {
  spec: windowStore({
    ...common,
    row: numberRow(
      () => {},
      (n) => n,
    ),
  }),
  ...window,
})
storeContract('window on disk', { spec: onDisk(windowStore(common)), ...window })

const slidingEntry = (store: SlidingStore<string, number>, [id, at]: WindowId) =>
  store.windows(id).find((entry) => entry.start === at)

const sliding: Omit<StoreUnderTest<SlidingStore<string, number>, WindowId>, 'spec'> = {
  ids: windowIds,
  put(store, id, value) {
    const entry = slidingEntry(store, id) ?? store.create(id[1], id[0], value, id[1])
    entry.value = value
    store.touch(entry)
  },
  remove: (store, id) => store.remove(slidingEntry(store, id)!),
  has: (store, id) => slidingEntry(store, id) !== undefined,
  content: (store) => [...store.all()].map((entry) => [[entry.key as string, entry.start], entry.value as number]),
  others: [
    function expire(store, model, [, at]) {
      store.expire(at)
      for (const id of model.keys()) if (JSON.parse(id)[1] < at) model.delete(id)
    },
  ],
}
// Slots of one millisecond, so that expiry is exact.
storeContract('sliding', { spec: slidingStore({ ...common, span: 1 }), ...sliding })
storeContract('sliding on disk', { spec: onDisk(slidingStore({ ...common, span: 1 })), ...sliding })

type SessionId = readonly [key: string, start: number, end: number]

const sessionOf = (store: SessionStore<string, number>, [id, from, to]: SessionId) =>
  store.sessions(id).find((session) => session.start === from && session.timestamp === to)

const session: Omit<StoreUnderTest<SessionStore<string, number>, SessionId>, 'spec'> = {
  // Apart from each other, as sessions are: those with one start are one session as it grows.
  ids: fc.tuple(key, start, fc.nat(3)).map(([id, slot, length]) => [id, slot * 10, slot * 10 + length]),
  put(store, id, value) {
    const session = sessionOf(store, id) ?? store.create(id[0], id[1], id[2], value)
    session.value = value
    store.touch(session)
  },
  remove: (store, id) => store.remove(sessionOf(store, id)!),
  has: (store, id) => sessionOf(store, id) !== undefined,
  content: (store) =>
    ([...store.all()] as Session<string, number>[]).map(
      (session) => [[session.key, session.start, session.timestamp], session.value!] as const,
    ),
  others: [
    function expire(store, model, [, at]) {
      store.expire(at)
      for (const id of model.keys()) if (JSON.parse(id)[2] < at) model.delete(id)
    },
    function widen(store, model, [id, from, to]) {
      const session = sessionOf(store, [id, from, to])
      const wider: SessionId = [id, from - 1, to + 1]
      if (!session || sessionOf(store, wider)) return
      store.widen(session, wider[1], wider[2])
      store.touch(session)
      const value = model.get(JSON.stringify([id, from, to]))!
      model.delete(JSON.stringify([id, from, to]))
      model.set(JSON.stringify(wider), value)
    },
  ],
}
storeContract('session', { spec: sessionStore({ ...common, span: 1 }), ...session })
storeContract('session on disk', { spec: onDisk(sessionStore({ ...common, span: 1 })), ...session })
