import { pino } from 'pino'
import { expect, it } from 'vitest'
import { json, string } from '../../../src/index.ts'
import { BatchWriter } from '../../../src/log/batch/batch-writer.ts'
import { createKeeper } from '../../../src/runtime/snapshots/keeper.ts'
import { loadSnapshot } from '../../../src/runtime/snapshots/load.ts'
import type { Serde } from '../../../src/serde/serde.ts'
import type { SnapshotStore } from '../../../src/snapshots/snapshot-store.ts'
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

/** A keeper over a store that a test changes and commits. */
function kept(to: SnapshotStore, failed: Error[] = []) {
  const store = newStore()
  let offset = 0
  let commits = 0
  let now = 0
  const keeper = createKeeper({
    of,
    store,
    offset,
    snapshot: undefined,
    to,
    intervalMs: 1,
    nonce: () => `${now}`,
    onWritten: () => {},
    onFailed: (error) => failed.push(error),
    now,
  })
  const commit = () => {
    const writer = new BatchWriter(1024)
    store.flush((key, value, timestamp) => writer.appendFrom(timestamp, key, value, []))
    commits++
    const { count } = writer
    if (count > 0) keeper.wrote(writer.finish(), offset, count)
    offset += count
    keeper.committed(commits)
  }
  return {
    keeper,
    store,
    commit,
    /** A value for each of these keys, and the commit of them. */
    put(from: number, to: number, value: number) {
      for (let key = from; key < to; key++) {
        const entry = store.find(`${key}`) ?? store.create(`${key}`, 0, 0)
        entry.value = value
        store.touch(entry)
      }
      commit()
    },
    step: () => keeper.work(++now, commits),
    /** Works until there is nothing to do, and everything is written. */
    async rest() {
      for (let i = 0; i < 40; i++) {
        keeper.work(++now, commits)
        // A write of this store takes some turns of promises, and no I/O.
        for (let turn = 0; turn < 20; turn++) await Promise.resolve()
        commit()
      }
    },
    /** What is restored from the snapshot alone, and up to where. */
    async restored() {
      const fresh = newStore()
      const on = {
        from: to,
        clock: manualClock(),
        patiently: <T>(_: string, call: () => Promise<T>) => call(),
        logger: pino({ level: 'silent' }),
      }
      const loaded = await loadSnapshot(of, fresh, { start: 0, end: offset }, on)
      return { offset: loaded?.offset, entries: fresh.entries().map(({ key, value }) => `${key}=${value}`) }
    },
    state: () => ({ offset, entries: store.entries().map(({ key, value }) => `${key}=${value}`) }),
  }
}
/** Some of the entries that one has and the other has not: all of them would be a long text. */
const differing = (a: { offset: number | undefined; entries: string[] }, b: typeof a) => {
  const [inA, inB] = [new Set(a.entries), new Set(b.entries)]
  const apart = [...a.entries.filter((of) => !inB.has(of)), ...b.entries.filter((of) => !inA.has(of))]
  return { offsets: [a.offset, b.offset], apart: apart.slice(0, 5) }
}
const nothing = ({ offset }: { offset: number }) => ({ offsets: [offset, offset], apart: [] })
/** So many that a base takes several steps, and so large that changes of all of them call for a new one. */
const KEYS = 60_000

it('writes down what has changed although a new base is half done when it ends', async () => {
  const of = kept(memorySnapshots())
  of.put(0, KEYS, 1)
  await of.rest()
  expect(differing(await of.restored(), of.state())).toEqual(nothing(of.state()))
  of.put(0, KEYS, 2)
  of.put(0, KEYS, 3)
  expect(of.step(), 'a new base').toBe(true)
  of.put(0, 10, 4)
  expect(of.step(), 'it is not done').toBe(true)
  await of.keeper.finish()
  expect(differing(await of.restored(), of.state())).toEqual(nothing(of.state()))
})

it.each(['segment', 'manifest'] as const)(
  'forgets no change when a new base cannot be written: its %s',
  async (which) => {
    const inner = memorySnapshots()
    let isFull = false
    const failed: Error[] = []
    const of = kept(
      {
        ...inner,
        async write(name, bytes) {
          if (isFull && name.endsWith('.manifest.json') === (which === 'manifest')) throw new Error('full')
          return inner.write(name, bytes)
        },
      },
      failed,
    )
    of.put(0, KEYS, 1)
    await of.rest()
    of.put(0, KEYS, 2)
    of.put(0, KEYS, 3)
    isFull = true
    expect(of.step(), 'a new base').toBe(true)
    await of.rest()
    expect(failed.length).toBeGreaterThan(0)
    isFull = false
    // Too little to call for a base by itself.
    of.put(0, 10, 4)
    await of.rest()
    await of.keeper.finish()
    expect(differing(await of.restored(), of.state())).toEqual(nothing(of.state()))
  },
)

it('keeps nothing that was made and gone again before a commit', async () => {
  const failed: Error[] = []
  const of = kept(memorySnapshots(), failed)
  const { store, keeper } = of
  store.touch(store.create('stays', 1, 1))
  of.commit()
  // The base is walked over while this is there, and no commit ever writes it.
  const passing = store.create('passing', 2, 2)
  store.touch(passing)
  const changed = store.create('changed', 3, 3)
  store.touch(changed)
  of.step()
  of.step()
  store.remove(passing)
  of.commit()
  await keeper.finish()
  of.step()
  await keeper.finish()

  const { offset, entries } = await of.restored()
  expect(offset).toBeDefined()
  expect(entries).toEqual(['changed=3', 'stays=1'])
  expect(failed).toEqual([])
})
