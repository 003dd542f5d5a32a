import { pino } from 'pino'
import { expect, it } from 'vitest'
import { json, string } from '../../../src/index.ts'
import { BatchWriter } from '../../../src/log/batch/batch-writer.ts'
import { createKeeper } from '../../../src/runtime/snapshots/keeper.ts'
import { loadSnapshot } from '../../../src/runtime/snapshots/load.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import { keyValueStore } from '../../../src/state/key-value-store.ts'
import { serdeValue } from '../../../src/state/store.ts'
import { memorySnapshots } from '../../../src/testing/simulation/simulated-snapshots.ts'
import { manualClock } from '../../../src/time.ts'

const of = { application: 'app', changelog: 'app-kept-changelog', partition: 0, identity: 'i' }
const spec = keyValueStore<string, number>({ name: 'kept', key: string(), value: serdeValue(json<number>()) })
const newStore = () =>
  spec.create({
    open: <T>(serde: Serde<T>, part: 'key' | 'value') => serde.open({ topic: of.changelog, part }),
  } as Parameters<typeof spec.create>[0])

it('keeps nothing that was made and gone again before a commit', async () => {
  const to = memorySnapshots()
  const store = newStore()
  let offset = 0
  let commits = 0
  /** A commit: what it writes, and that it is done. */
  const begin = () => {
    const writer = new BatchWriter(1024)
    store.flush((key, value, timestamp) => writer.appendFrom(timestamp, key, value, []))
    const commit = ++commits
    const { count } = writer
    return () => {
      if (count > 0) keeper.wrote(writer.finish(), offset, count)
      offset += count
      keeper.committed(commit)
    }
  }
  const keeper = createKeeper({
    of,
    store,
    offset,
    snapshot: undefined,
    to,
    intervalMs: 1,
    nonce: () => 'n',
    onWritten: () => {},
    onFailed: (error) => {
      throw error
    },
    now: 0,
  })
  store.touch(store.create('stays', 1, 1))
  begin()()
  // The base is walked over while this is there, and no commit ever writes it.
  const passing = store.create('passing', 2, 2)
  store.touch(passing)
  const changed = store.create('changed', 3, 3)
  store.touch(changed)
  keeper.work(10, commits)
  keeper.work(20, commits)
  store.remove(passing)
  begin()()
  await keeper.finish()
  keeper.work(30, commits)
  await keeper.finish()

  const restored = newStore()
  const on = {
    from: to,
    clock: manualClock(),
    patiently: <T>(_: string, call: () => Promise<T>) => call(),
    logger: pino({ level: 'silent' }),
  }
  expect(await loadSnapshot(of, restored, { start: 0, end: offset }, on)).toBeDefined()
  expect(restored.entries().map(({ key, value }) => [key, value])).toEqual([
    ['changed', 3],
    ['stays', 1],
  ])
})
