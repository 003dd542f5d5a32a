import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import {
  aggregate,
  custom,
  groupByKey,
  json,
  sliding,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  type Windows,
  windowed,
  windowedBy,
} from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import type { RunOptions } from '../../src/runtime/options.ts'
import { type Running, run } from '../../src/runtime/run.ts'
import { diskState } from '../../src/state/disk/sqlite.ts'
import { readRecords, writeRecords } from '../support/records.ts'

/** State on disk is in memory until a commit: so one is due when that is much, however long the interval is. */

const KEYS = 3_000
const LONG = 'x'.repeat(4_000)

let running: Running | undefined
afterEach(async () => {
  await running?.stop()
})

/** The last text of each key. */
const last = custom({ init: () => '', add: (_: string, value: string) => value })

const jobOf = (windows?: Windows) => {
  const grouped = stream('in', { key: string(), value: string() }).pipe(groupByKey())
  const table = windows
    ? grouped.pipe(
        windowedBy(windows),
        aggregate('kept', last),
        toStream(),
        to('out', { key: windowed(string(), { size: 10 }), value: json() }),
      )
    : grouped.pipe(aggregate('kept', last), toStream(), to('out', { key: string(), value: json() }))
  return topology('crowded', [table])
}

async function fed(windows: Windows | undefined, options: Partial<RunOptions>) {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  running = await run(jobOf(windows), {
    log: log.peer(),
    logger: false,
    commitIntervalMs: 300_000,
    transactionTimeoutMs: 600_000,
    ...options,
  })
  await running.ready()
  const feed = async (from: number, upTo: number) => {
    const keys = Array.from({ length: upTo - from }, (_, i) => from + i)
    await writeRecords(
      log,
      'in',
      keys.map((n) => ({ key: `key-${n}`, value: LONG, timestamp: 1_000 })),
    )
  }
  const out = async () => (await readRecords(log, 'out')).length
  return { feed, out }
}
const onDisk = () => ({ state: diskState(mkdtempSync(join(tmpdir(), 'millrace-crowded-')), { cacheBytes: 1_000 }) })

it.each([
  ['without windows', undefined],
  ['in tumbling windows', tumbling(10)],
  ['in sliding windows', sliding(10, { grace: 10 })],
] as const)('a commit is due when state on disk has grown in memory, %s', async (_, windows) => {
  const { feed, out } = await fed(windows, onDisk())
  await feed(0, KEYS)
  // Some 12 MB, of which 4 may wait.
  await vi.waitUntil(async () => (await out()) > 0, { timeout: 10_000 })
})

it('none is due for what fits', async () => {
  const { feed, out } = await fed(undefined, onDisk())
  await feed(0, KEYS / 10)
  await vi.waitUntil(() => [...running!.query('kept')].length === KEYS / 10)
  expect(await out()).toBe(0)
})
