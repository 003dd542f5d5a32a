import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { beforeEach, describe, expect, it } from 'vitest'
import { BatchWriter } from '../../../src/log/batch/batch-writer.ts'
import { loadSnapshot } from '../../../src/runtime/snapshots/load.ts'
import {
  digest,
  encodeManifest,
  folderOf,
  MANIFEST,
  nameOf,
  SEGMENT,
  type Segment,
} from '../../../src/runtime/snapshots/manifest.ts'
import { integer } from '../../../src/serde/numbers.ts'
import { string } from '../../../src/serde/string.ts'
import { snapshotDirectory } from '../../../src/snapshots/directory.ts'
import type { SnapshotStore } from '../../../src/snapshots/snapshot-store.ts'
import { type SlidingStore, slidingStore } from '../../../src/state/sliding-store.ts'
import { serdeValue } from '../../../src/state/store.ts'
import { systemClock } from '../../../src/time.ts'
import { storesOnDisk } from '../../support/disk-stores.ts'

const of = { application: 'app', changelog: 'changelog', partition: 0, identity: 'identity' }
const spec = slidingStore({ name: 'store', key: string(), value: serdeValue(integer()), span: 10 })
const create = (one: typeof spec) => one.create({ open: (serde, part) => serde.open({ topic: 'changelog', part }) })

let to: SnapshotStore
beforeEach(async () => {
  to = snapshotDirectory(await mkdtemp(join(tmpdir(), 'millrace-load-')))
})

/** Two segments with the keys from `from` on; the second can be damaged. */
async function snapshot(offset: number, keys: readonly string[], damage: (bytes: Buffer) => Buffer = (bytes) => bytes) {
  const source = create(spec)
  const segments: Segment[] = []
  for (const [i, key] of keys.entries()) {
    source.touch(source.create(i, key, offset, i))
    const writer = new BatchWriter(64)
    source.flush((keyBytes, value, timestamp) => writer.appendFrom(timestamp, keyBytes, value, []))
    const bytes = Buffer.from(writer.finish())
    const segment = { name: `${nameOf(offset, `s${i}`)}${SEGMENT}`, bytes: bytes.length, sha256: digest(bytes) }
    segments.push(segment)
    await to.write(`${folderOf(of)}/${segment.name}`, i === keys.length - 1 ? damage(bytes) : bytes)
  }
  const manifest = encodeManifest({ ...of, version: 1, offset, segments, base: segments.length })
  await to.write(`${folderOf(of)}/${nameOf(offset, 'm')}${MANIFEST}`, manifest)
}

const load = (store: SlidingStore<string, number>, from = to) =>
  loadSnapshot(
    of,
    store,
    { start: 0, end: 100 },
    { from, patiently: (_, work) => work(), clock: systemClock, logger: pino({ level: 'silent' }) },
  )
const keysOf = (store: SlidingStore<string, number>) => [...store.all()].map(({ key }) => key).sort()

const onDisk = storesOnDisk()
describe.each([
  ['memory', spec],
  ['disk', onDisk(spec)],
])('a snapshot into a store in %s', (_, one) => {
  it('leaves nothing of a snapshot whose last segment is damaged, and takes the one before it', async () => {
    await snapshot(10, ['old', 'older'])
    await snapshot(20, ['new', 'newer', 'newest'], (bytes) => {
      const torn = Buffer.from(bytes)
      torn[torn.length - 2] ^= 1
      return torn
    })
    const store = create(one)
    expect((await load(store))?.offset).toBe(10)
    expect(keysOf(store)).toEqual(['old', 'older'])
    store.close?.()
  })

  it('leaves nothing of a snapshot that cannot be read to its end', async () => {
    await snapshot(10, ['a', 'b', 'c'])
    let reads = 0
    const failing = {
      ...to,
      read: (path: string) => (++reads > 3 ? Promise.reject(new Error('away')) : to.read(path)),
    }
    const store = create(one)
    expect(await load(store, failing)).toBeUndefined()
    expect(reads).toBe(4)
    expect(store.size).toBe(0)
    store.close?.()
  })
})
