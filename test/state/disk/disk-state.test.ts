import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import {
  count,
  groupByKey,
  json,
  stream,
  string,
  to,
  topology,
  toStream,
  tumbling,
  untilWindowCloses,
  windowed,
  windowedBy,
} from '../../../src/index.ts'
import { memoryLog } from '../../../src/log/memory.ts'
import { run } from '../../../src/runtime/run.ts'
import { diskState } from '../../../src/state/disk/sqlite.ts'
import { readRecords, writeRecords } from '../../support/records.ts'

const SIZE = 1_000
const grouped = stream('in', { key: string(), value: string() }).pipe(groupByKey())
const counted = topology('counted', [
  grouped.pipe(count('per-key'), toStream(), to('totals', { key: string(), value: json<number | null>() })),
  grouped.pipe(
    windowedBy(tumbling(SIZE)),
    count('per-window'),
    untilWindowCloses(),
    to('finals', { key: windowed(string(), { size: SIZE }), value: json<number>() }),
  ),
])
const KEYS = 300

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-state-'))
})

it('gives what memory gives, over restarts, with room for a few entries only', async () => {
  const log = memoryLog()
  await log.connect()
  await log.admin.create(['in', 'totals', 'finals'].map((topic) => ({ topic, partitions: 2 })))
  for (let round = 0; round < 3; round++) {
    const records = Array.from({ length: KEYS * 4 }, (_, i) => ({
      key: `key-${i % KEYS}`,
      value: 'x',
      timestamp: round * 4 * SIZE + Math.floor(i / KEYS) * SIZE,
    }))
    await writeRecords(log, 'in', records)
    const peer = log.peer()
    await peer.connect()
    const state = diskState(directory, { cacheBytes: 2_000, pageCacheBytes: 0 })
    const running = await run(counted, { log: peer, state, logger: false, commitIntervalMs: 5, handleSignals: false })
    await running.caughtUp()
    expect([...running.query<string, number>('per-key')].length).toBe(KEYS)
    await running.stop()
    // Nothing is left: what survives is the changelog.
    expect(readdirSync(directory)).toEqual([])
  }
  const totals = new Map((await readRecords(log, 'totals')).map(({ key, value }) => [key, value]))
  expect(totals.size).toBe(KEYS)
  expect(new Set(totals.values())).toEqual(new Set(['12']))
  // Twelve windows of each key; the last is still open.
  const finals = await readRecords(log, 'finals')
  expect(finals.length).toBe(KEYS * 11)
  expect(new Set(finals.map(({ value }) => value))).toEqual(new Set(['1']))
})

it('removes the files that nobody holds, and leaves those in use and what is not its own', () => {
  const living = diskState(directory)
  living.table('0_0', 'alive').set(0, Buffer.from('key'), Buffer.from('value'), 0)
  const [alive] = readdirSync(directory)
  // As a killed process leaves them: whole, torn and empty. A young one may be about to be locked.
  const left = ['whole', 'torn', 'empty'].map((name) => join(directory, `${name}.rows`))
  cpSync(join(directory, alive), left[0])
  writeFileSync(left[1], readFileSync(left[0]).subarray(0, 5_000).fill(7, 100))
  writeFileSync(left[2], '')
  for (const name of [...left, join(directory, alive)]) utimesSync(name, 1, 1)
  writeFileSync(join(directory, 'young.rows'), '')
  writeFileSync(join(directory, 'notes.txt'), '')
  const state = diskState(directory)
  state.timelines('0_0', 'mine')
  expect(readdirSync(directory)).toHaveLength(4)
  expect(readdirSync(directory)).toEqual(expect.arrayContaining([alive, 'notes.txt', 'young.rows']))
  state.close()
  living.close()
  expect(readdirSync(directory).sort()).toEqual(['notes.txt', 'young.rows'])
})

it('says which directory cannot be used, and refuses options that make no sense', () => {
  writeFileSync(join(directory, 'file'), '')
  expect(() => diskState(join(directory, 'file')).table('0_0', 'a')).toThrow(
    expect.objectContaining({ code: 'DATA_DIRECTORY', hint: expect.stringContaining('may write') }),
  )
  expect(() => diskState(directory, { cacheBytes: -1 })).toThrow(/cacheBytes/)
})

it('says what went wrong when a directory goes while it is used', () => {
  const root = join(directory, 'root')
  const state = diskState(root)
  state.table('0_0', 'first').close()
  rmSync(root, { recursive: true })
  expect(() => state.table('0_0', 'second')).toThrow(expect.objectContaining({ code: 'DATA_DIRECTORY' }))
  state.close()
})
