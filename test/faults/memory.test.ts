import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { run } from '../../src/index.ts'
import { embedded } from '../../src/log/embedded/embedded.ts'
import { writeRecords } from '../support/records.ts'
import { type MemoryJobData, memoryJob } from './memory-job.ts'

/**
 * State of some 115 MB, in a heap of 96. The warning comes at 85 %: the rest must be more than the heap grows between two looks
 * at it, so the young generation is small, and the heap is full before the Map of the keys doubles (at 2^18).
 */
const KEYS = 300_000
const HEAP = 96
const SMALL_HEAP = [`--max-old-space-size=${HEAP}`, '--max-semi-space-size=2']

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-memory-'))
  const log = embedded(join(directory, 'log'))
  await log.connect()
  await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  const value = 'x'.repeat(80)
  for (let from = 0; from < KEYS; from += 10_000) {
    const records = Array.from({ length: 10_000 }, (_, i) => ({ key: `key-${from + i}`, value, timestamp: from + i }))
    await writeRecords(log, 'in', records)
  }
  await log.close()
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** Runs the job in a process of its own until it has ended, one way or the other. */
async function runProcess(options: Partial<MemoryJobData> & { oldGenerationMb?: number }, flags: readonly string[]) {
  const script = join(import.meta.dirname, 'memory-process.ts')
  const command = ['-C', 'millrace-source', ...flags, script, JSON.stringify({ directory, ...options })]
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  const warnings = err
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => String(msg).startsWith('the heap is'))
  return { code, out, err, warnings }
}
const inSmallHeap = (options: Partial<MemoryJobData> = {}) => runProcess(options, SMALL_HEAP)

const advice = expect.stringMatching(/--max-old-space-size.*on disk/)

it('a heap that is too small is said before V8 ends the process: in processing, and in a restore', async () => {
  const processing = await inSmallHeap()
  expect(processing.err).toContain('heap limit')
  expect(processing.warnings).toHaveLength(1)
  expect(processing.warnings[0]).toMatchObject({ doing: 'processing', task: '0_0', store: 'newest', msg: advice })

  const { topology, options } = memoryJob({ directory })
  const running = await run(topology, { ...options, logger: false })
  await running.caughtUp()
  await running.stop()

  const restoring = await inSmallHeap()
  expect(restoring.err).toContain('heap limit')
  expect(restoring.warnings).toHaveLength(1)
  const [warning] = restoring.warnings
  expect(warning).toMatchObject({ doing: 'restoring', task: '0_0', store: 'newest', of: KEYS, msg: advice })
  expect(warning.entries).toBe(warning.records)
})

it('the same job runs in the same heap with its state on disk', async () => {
  const { code, out, warnings } = await inSmallHeap({ disk: true })
  expect({ code, out, warnings }).toEqual({ code: 0, out: 'done\n', warnings: [] })
})

it('a thread whose heap is too small ends by itself, and the process is told', async () => {
  const { out } = await runProcess({ oldGenerationMb: HEAP }, [])
  expect(JSON.parse(out)).toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringContaining(`oldGenerationMb of runThreads, which is ${HEAP}`),
  })
})

it('V8 says of a full Map what we take for it', async () => {
  const fill =
    'const map = new Map(); try { for (let i = 0; ; i++) map.set(i, 0) } catch (error) { console.log(map.size, String(error)) }'
  const child = spawn(process.execPath, ['-e', fill], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [out] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect(out).toBe(`${2 ** 24} RangeError: Map maximum size exceeded\n`)
})
