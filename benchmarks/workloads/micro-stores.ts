import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// Stores are no part of the interface, so all of this comes from the sources: aggregates of the package would not know them.
import { count } from '../../src/aggregates/index.ts'
import { rowOf } from '../../src/aggregates/row.ts'
import { json, string } from '../../src/serde/index.ts'
import { diskState } from '../../src/state/disk/index.ts'
import { joinStore } from '../../src/state/join-store.ts'
import { keyValueStore } from '../../src/state/key-value-store.ts'
import { sessionStore } from '../../src/state/session-store.ts'
import { slidingStore } from '../../src/state/sliding-store.ts'
import { type StateStore, serdeValue } from '../../src/state/store.ts'
import { timeBuffer } from '../../src/state/time-buffer.ts'
import { versionedStore } from '../../src/state/versioned-store.ts'
import { windowStore } from '../../src/state/window-store.ts'
import type { StoreEnvironment } from '../../src/topology/store-spec.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import type { Measured, Workload } from '../suite/workload.ts'

/** Times that a key has: of windows, sessions, versions or records. */
const TIMES = 10
const STEP = 60_000
const RANGE = 3 * STEP
/** Changes between two flushes, as between two commits. */
const FLUSH_EVERY = 20_000

const key = string()
const plain = json<number>()
const common = { key, value: serdeValue(plain) }

/** What is done to a store, each with the key and the time of one step; `get` and `range` give something to add up. */
interface Subject {
  readonly store: StateStore
  put(key: string, time: number): void
  get?(key: string, time: number): number
  range?(key: string, from: number, to: number): number
  /** Forgets what is older, or takes it out. */
  expire?(before: number): void
}

const SUBJECTS: Readonly<Record<string, (environment: StoreEnvironment) => Subject>> = {
  'key-value'(environment) {
    const store = keyValueStore<string, number>({ name: 'kv', ...common }).create(environment)
    return {
      store,
      put(of, time) {
        const entry = store.find(of) ?? store.create(of, 0, time)
        entry.value! += 1
        store.touch(entry)
      },
      get: (of) => store.find(of)?.value ?? 0,
      range: (of) => store.range(of, `${of}0`).length,
    }
  },
  window(environment) {
    const store = windowStore<string, number>({ name: 'w', ...common }).create(environment)
    return {
      store,
      put(of, time) {
        const entry = store.find(time, of) ?? store.create(time, of, 0, time)
        entry.value! += 1
        store.touch(entry)
      },
      get: (of, time) => store.find(time, of)?.value ?? 0,
      expire(before) {
        for (const start of store.starts()) if (start < before) store.forget(start)
      },
    }
  },
  /** As aggregates of numbers are kept, which go around its entries. */
  'window of rows'(environment) {
    const value = () => count().state
    const store = windowStore<string, number>({ name: 'wr', key, value, row: rowOf(count()) }).create(environment)
    const rows = store.rows!
    const one = Float64Array.of(1)
    return {
      store,
      put(of, time) {
        let slot = rows.find(time, of)
        if (slot < 0) slot = rows.create(time, of, time, one)
        else rows.block(slot)[rows.at(slot)]++
        rows.touch(slot)
      },
      get(of, time) {
        const slot = rows.find(time, of)
        return slot < 0 ? 0 : rows.block(slot)[rows.at(slot)]
      },
      expire(before) {
        for (const start of store.starts()) if (start < before) store.forget(start)
      },
    }
  },
  session(environment) {
    const store = sessionStore<string, number>({ name: 's', ...common, span: TIMES * STEP }).create(environment)
    const at = (of: string, time: number) => store.sessions(of).find(({ start }) => start === time)
    return {
      store,
      put(of, time) {
        const session = at(of, time) ?? store.create(of, time, time, 0)
        session.value! += 1
        store.touch(session)
      },
      get: (of, time) => at(of, time)?.value ?? 0,
      expire: (before) => store.expire(before),
    }
  },
  sliding(environment) {
    const store = slidingStore<string, number>({ name: 'sl', ...common, span: TIMES * STEP }).create(environment)
    const at = (of: string, time: number) => store.windows(of).find(({ start }) => start === time)
    return {
      store,
      put(of, time) {
        const entry = at(of, time) ?? store.create(time, of, 0, time)
        entry.value! += 1
        store.touch(entry)
      },
      get: (of, time) => at(of, time)?.value ?? 0,
      expire: (before) => store.expire(before),
    }
  },
  join(environment) {
    const options = { name: 'j', key, value: plain, retention: TIMES * STEP }
    const store = joinStore<string, number>(options).create(environment)
    let sum = 0
    const add = (_: number, value: number) => {
      sum += value
    }
    return {
      store,
      put: (of, time) => store.put(of, time, 1),
      range(of, from, to) {
        sum = 0
        store.fetch(of, from, to, add)
        return sum
      },
      expire: (before) => store.expire(before),
    }
  },
  'time-buffer'(environment) {
    const store = timeBuffer<string, number>({ name: 't', key, value: plain }).create(environment)
    return { store, put: (of, time) => store.add(of, time, 1), expire: (before) => void store.take(before) }
  },
  versioned(environment) {
    const options = { name: 'v', key, value: plain, historyRetention: TIMES * STEP }
    const store = versionedStore<string, number>(options).create(environment)
    return {
      store,
      put: (of, time) => void store.put(of, 1, time),
      get: (of) => store.latest(of)?.value ?? 0,
      range: (of, from) => store.asOf(of, from)?.value ?? 0,
    }
  },
}

/** Each store, each thing that is done to it, in memory and on disk; n are the calls. */
export const microStores: Workload = {
  name: 'micro-stores',
  summary: 'each store, in memory and on disk: put with its flush, get, range, expiry',
  records: 200_000,
  smokeRecords: 10_000,
  onLog: false,
  async measure({ records }) {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-micro-'))
    const lines: Measured[] = []
    try {
      for (const [name, open] of Object.entries(SUBJECTS)) {
        lines.push(...measureStore(`micro-stores ${name} memory`, open, environment(), records!))
        if (name === 'window of rows') continue // there are none on disk
        // A cache of a tenth, so that most of it comes from the disk.
        const state = diskState(directory, { cacheBytes: records! * 10, pageCacheBytes: records! * 10 })
        const disk = {
          cacheBytes: state.cacheBytes,
          table: () => state.table('0_0', name),
          timelines: () => state.timelines('0_0', name),
        }
        lines.push(...measureStore(`micro-stores ${name} disk`, open, environment(disk), records!))
        state.close()
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
    if (!Number.isFinite(seen)) throw new Error('nothing was read')
    return lines
  },
}

let seen = 0

const environment = (disk?: StoreEnvironment['disk']): StoreEnvironment => ({
  open: (serde, part) => serde.open({ topic: 'bench', part }),
  ...(disk && { disk }),
})

function measureStore(
  variant: string,
  open: (environment: StoreEnvironment) => Subject,
  of: StoreEnvironment,
  n: number,
): Measured[] {
  const subject = open(of)
  const keys = Array.from({ length: Math.ceil(n / TIMES) }, (_, i) => `key-${(i * 7919) % n}`)
  const timed = (what: string, work: () => void): Measured => {
    const watch = stopwatch()
    work()
    const { seconds, cpu_s } = watch.read()
    return { variant: `${variant} ${what}`, n, seconds, cpu_s }
  }
  /** By time, and at each time every key. */
  const each = (call: (key: string, time: number) => void) => {
    for (let i = 0; i < n; i++) call(keys[i % keys.length], Math.floor(i / keys.length) * STEP)
  }
  const write = () => {
    seen++
  }
  const { store, put, get, range, expire } = subject
  const lines = [
    timed('put', () => {
      let changes = 0
      each((key, time) => {
        put(key, time)
        if (++changes % FLUSH_EVERY === 0) store.flush(write)
      })
      store.flush(write)
    }),
  ]
  if (get) {
    lines.push(
      timed('get', () =>
        each((key, time) => {
          seen += get(key, time)
        }),
      ),
    )
  }
  if (range) {
    lines.push(
      timed('range', () =>
        each((key, time) => {
          seen += range(key, time, time + RANGE)
        }),
      ),
    )
  }
  if (expire) {
    lines.push(
      timed('expire', () => {
        for (let time = 0; time <= TIMES; time++) {
          expire(time * STEP)
          store.flush(write)
        }
      }),
    )
  }
  store.close?.()
  return lines
}
