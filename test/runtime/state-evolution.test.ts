import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import {
  type AvroSchema,
  aggregate,
  avro,
  custom,
  groupByKey,
  json,
  map,
  type RunOptions,
  reduce,
  stream,
  string,
  type Topology,
  to,
  topology,
  toStream,
  tumbling,
  windowedBy,
} from '../../src/index.ts'
import { type MemoryLog, memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { directoryRegistry } from '../../src/serde/avro/index.ts'
import { snapshotDirectory } from '../../src/snapshots/index.ts'
import { diskState } from '../../src/state/disk/index.ts'
import { readRecords, writeRecords } from '../support/records.ts'

/** A program is stopped, and its next version knows more of what it keeps: the state of the first is its state. */
interface Basket {
  readonly items: number
  /** Since the second version. */
  readonly coupon?: string
}

const ITEMS = { name: 'items', type: 'int' }
const v1: AvroSchema = { type: 'record', name: 'Basket', fields: [ITEMS] }
const v2: AvroSchema = {
  type: 'record',
  name: 'Basket',
  fields: [{ name: 'coupon', type: 'string', default: 'none' }, ITEMS],
}
const more = (basket: Basket, { items }: Basket): Basket => ({ ...basket, items: basket.items + items })

const baskets = stream('in', { key: string(), value: json<Basket>() })
const text = { key: string(), value: json<Basket>() }

/** The state in Avro, by key and by window. */
const reduced = (schema: AvroSchema): Topology =>
  topology('shop', [
    baskets.pipe(groupByKey(), reduce('by-key', more, { value: avro<Basket>(schema) }), toStream(), to('out', text)),
    baskets.pipe(
      groupByKey(),
      windowedBy(tumbling(1_000)),
      reduce('by-window', more, { value: avro<Basket>(schema) }),
      toStream(),
      map((basket, { key, window }) => [`${key}@${window.start}`, basket]),
      to('out', text),
    ),
  ])

let log: MemoryLog
let directory: string
beforeEach(async () => {
  log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  directory = await mkdtemp(join(tmpdir(), 'millrace-evolution-'))
})

/** Runs one version over some more records, and gives what its stores hold. */
async function version(
  job: Topology,
  keys: readonly string[],
  stores: readonly string[],
  options: Partial<RunOptions>,
) {
  await writeRecords(
    log,
    'in',
    keys.map((key) => ({ key, value: JSON.stringify({ items: 1 }), timestamp: 100 })),
  )
  const peer = log.peer()
  await peer.connect()
  const running = await run(job, {
    log: peer,
    registry: directoryRegistry(join(directory, 'registry')),
    commitIntervalMs: 5,
    logger: false,
    handleSignals: false,
    ...options,
  })
  await running.ready()
  await running.caughtUp()
  const held = stores.map((store) =>
    Object.fromEntries([...running.query<string>(store)].map(({ key, value }) => [key, value])),
  )
  await running.stop()
  return held
}

const newest = async () =>
  Object.fromEntries((await readRecords(log, 'out')).map(({ key, value }) => [key, JSON.parse(value!)]))

const places: Readonly<Record<string, () => Partial<RunOptions>>> = {
  'from the changelog': () => ({}),
  'from a snapshot': () => ({ snapshots: { to: snapshotDirectory(join(directory, 'snapshots')), intervalMs: 1 } }),
  'from the changelog onto a disk': () => ({ state: diskState(join(directory, 'state')) }),
}

it.each(Object.keys(places))('Avro: a new field has its default in what an older version kept, %s', async (place) => {
  const stores = ['by-key', 'by-window']
  await version(reduced(v1), ['ada', 'ben', 'ben'], stores, places[place]())
  const held = await version(reduced(v2), ['ben'], stores, places[place]())
  const [ada, ben] = [
    { coupon: 'none', items: 1 },
    { coupon: 'none', items: 3 },
  ]
  for (const store of held) expect(store).toEqual({ ada, ben })
  expect(await newest()).toMatchObject({ ben, 'ben@0': ben })
  // What the second version has written and what it has not are both there for whoever goes on from it.
  for (const store of await version(reduced(v2), [], stores, places[place]())) expect(store).toEqual({ ada, ben })
})

it('Avro: an instance that has not been upgraded yet reads what the newer one keeps', async () => {
  await version(reduced(v2), ['ada', 'ben'], [], {})
  const [held] = await version(reduced(v1), ['ben'], ['by-key'], {})
  expect(held).toEqual({ ada: { items: 1 }, ben: { items: 2 } })
})

it('plain data: a version finds what the older one has kept, and completes it', async () => {
  const kept = (coupon: string | undefined) =>
    topology('shop', [
      baskets.pipe(
        groupByKey(),
        aggregate(
          'custom',
          custom({
            init: (): Basket => ({ items: 0 }),
            add: (basket, value: Basket) => ({ ...(coupon !== undefined && { coupon }), ...more(basket, value) }),
          }),
        ),
        toStream(),
        to('out', text),
      ),
    ])
  await version(kept(undefined), ['ada', 'ben'], [], {})
  const [held] = await version(kept('none'), ['ben'], ['custom'], {})
  expect(held).toEqual({ ada: { items: 1 }, ben: { coupon: 'none', items: 2 } })
})
