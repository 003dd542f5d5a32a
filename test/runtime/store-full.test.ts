import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  count,
  globalTable,
  groupByKey,
  json,
  leftJoin,
  type RunOptions,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../src/index.ts'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { readBatch } from '../../src/log/batch/read-batch.ts'
import { type MemoryLog, memoryLog } from '../../src/log/memory.ts'
import { globalRows } from '../../src/runtime/task/global-rows.ts'
import { storeFull } from '../../src/runtime/task/store-full.ts'
import { TopologyDriver } from '../../src/testing/index.ts'
import type { DiskState, DiskTable } from '../../src/topology/disk-table.ts'
import { plan } from '../../src/topology/plan.ts'
import { writeRecords } from '../support/records.ts'

/** What V8 throws at 2^24 entries, which `npm run faults -- memory` holds it to: filling a Map takes seconds and a gigabyte. */
const refused = () => new RangeError('Map maximum size exceeded')
const refuse = (): never => {
  throw refused()
}

/** A table of so many entries that takes no more. */
const fullState = (entries: number): DiskState => ({
  cacheBytes: 0,
  table: (): DiskTable => ({
    get: refuse,
    set: refuse,
    delete: refuse,
    deleteAll: refuse,
    after: () => [],
    range: () => [],
    counts: () => new Map([[0, entries]]),
    close() {},
  }),
  timelines: refuse,
  close() {},
})

const job = topology('shares', [
  stream('in', { key: string(), value: string() }).pipe(
    groupByKey(),
    count('counts'),
    toStream(),
    to('out', { key: string(), value: json<number | null>() }),
  ),
])

const sales = stream('sales', { key: string(), value: string() })
const out = { key: string(), value: string() }

let log: MemoryLog
beforeEach(async () => {
  log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
})
afterEach(() => log.close())

const start = (options: Partial<RunOptions> = {}) =>
  run(job, { log, commitIntervalMs: 20, handleSignals: false, logger: false, ...options })

it('a record that finds no room stops the job, whatever the policy, and the error names store and task', () => {
  const driver = new TopologyDriver(job, { state: fullState(2 ** 24), errors: { failing: 'dead-letter' } })
  expect(() => driver.pipe('in', 'ada', 'first', 1)).toThrow(
    expect.objectContaining({
      code: 'STORE_FULL',
      retriable: false,
      message: expect.stringMatching(/store counts of task 0_0 has 16777216 entries in memory.*\n.*more partitions/),
      context: { node: 'counts' },
    }),
  )
})

it('a restore that finds no room stops the job, and says the same', async () => {
  await writeRecords(log, 'in', [{ key: 'ada', value: 'first', timestamp: 1 }])
  const first = await start()
  await first.caughtUp()
  await first.stop()
  const second = await start({ state: fullState(2 ** 24) })
  await expect(second.done).rejects.toMatchObject({ code: 'STORE_FULL', context: { node: 'counts' } })
  await expect(second.done).rejects.toThrow('store counts of task 0_0 has 16777216 entries')
  expect(second.state.phase).toBe('failed')
})

it('a full Map of the user’s own is an error of their function', () => {
  const driver = new TopologyDriver(job, { state: fullState(1_000), errors: { failing: 'fail' } })
  expect(() => driver.pipe('in', 'ada', 'first', 1)).toThrow(expect.objectContaining({ code: 'OPERATOR_FAILED' }))
  const small = [{ name: 'counts', store: { size: 1_000 } }]
  const own = refused()
  expect(storeFull(own, 'task 0_0', small)).toBe(own)
})

it('a row of a global table that finds no room stops the job: it is not one that cannot be decoded', () => {
  const table = globalTable('prices', { key: string(), value: string(), store: 'prices' })
  const [source] = plan(
    topology('t', [
      sales.pipe(
        leftJoin(
          table,
          (sku) => sku,
          (sku) => sku,
        ),
        to('out', out),
      ),
    ]),
  ).globals
  const store = { size: 2 ** 24, put: refuse, find: refuse, all: () => [], beginRebuild() {}, endRebuild() {} }
  const rows = globalRows({ ...source, spec: { ...source.spec, create: () => store } })
  const skipped: Error[] = []
  const batch = new BatchWriter()
  batch.append(1, Buffer.from('x'), Buffer.from('5'))
  const bytes = batch.finish()
  const read = readBatch(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length)
  expect(() => rows.apply(read, 0, (error) => skipped.push(error))).toThrow(
    expect.objectContaining({ code: 'STORE_FULL', message: expect.stringContaining('store prices of every instance') }),
  )
  expect(skipped).toEqual([])
})
