import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type RunningThreads, runThreads, type ThreadsOptions } from '../../../src/index.ts'
import { embedded } from '../../../src/log/embedded/embedded.ts'
import { readRecords, writeRecords } from '../../support/records.ts'
import { EARLY, JOINED, type JoiningData } from './joining-job.ts'
import type { WordsData } from './words-job.ts'

const JOB = new URL('./words-job.ts', import.meta.url)

async function given(words: readonly string[]): Promise<WordsData & { log: { directory: string } }> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-threads-'))
  const log = embedded(directory)
  await log.connect()
  await log.admin.create(['app-words', 'app-counts'].map((topic) => ({ topic, partitions: 2 })))
  await writeRecords(
    log,
    'app-words',
    words.map((word, timestamp) => ({ key: word, value: word, timestamp })),
  )
  await log.close()
  return { application: 'app', log: { directory }, poison: new Int32Array(new SharedArrayBuffer(4)) }
}

async function counts({ log: { directory } }: { log: { directory: string } }): Promise<Record<string, string | null>> {
  const log = embedded(directory)
  await log.connect()
  const records = await readRecords(log, 'app-counts')
  await log.close()
  return Object.fromEntries(records.map(({ key, value }) => [key, value]))
}

const start = (data: WordsData, options: Partial<ThreadsOptions<WordsData>> = {}): Promise<RunningThreads> =>
  runThreads(JOB, { threads: 1, data, logger: false, handleSignals: false, ...options })

it('runs a job in a thread, answers questions about it, and stops in good order', async () => {
  const data = await given(['a', 'b', 'a'])
  const running = await start(data, { http: { port: 0 } })
  await running.ready()
  await running.caughtUp()
  expect(running.state).toMatchObject({ phase: 'running', tasks: ['0_0', '0_1'] })
  expect(await running.lag()).toBe(0)
  expect((await running.query('per-word')).map(({ key, value }) => [key, value]).sort()).toEqual([
    ['a', 2],
    ['b', 1],
  ])
  await expect(running.query('nothing')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  const page = (path: string) => fetch(`http://127.0.0.1:${running.httpPort}${path}`)
  expect((await page('/readyz')).status).toBe(200)
  const metrics = await (await page('/metrics')).text()
  expect(metrics).toContain('millrace_thread_failures_total 0')
  expect(metrics).toMatch(/millrace_heap_limit_bytes\{application="app"\} \d{8,}/)
  expect(metrics).toMatch(/millrace_heap_used_ratio\{application="app"\} 0\.\d+/)
  expect(metrics).toMatch(/millrace_records_in_total\{.*topic="app-words".*\} [123]/)
  await running.stop()
  expect(running.state.phase).toBe('stopped')
  expect(await counts(data)).toEqual({ a: '2', b: '1' })
})

it('replaces a thread that failed, and goes on from its last commit', async () => {
  const data = await given(['a', 'poison', 'b'])
  data.poison[0] = 2
  const failures: string[] = []
  const running = await start(data, {
    onFailure(failure, index) {
      failures.push(`${index} ${(failure as { code?: string }).code}`)
      return 'replace'
    },
  })
  await running.caughtUp()
  expect(failures).toEqual(['0 OPERATOR_FAILED', '0 OPERATOR_FAILED'])
  expect(await running.metrics.text()).toContain('millrace_thread_failures_total 2')
  await running.stop()
  expect(await counts(data)).toEqual({ a: '1', poison: '1', b: '1' })
})

it('stops when a thread fails, unless told otherwise, and says what happened', async () => {
  const data = await given(['poison'])
  data.poison[0] = 1
  const running = await start(data)
  await expect(running.done).rejects.toMatchObject({
    code: 'OPERATOR_FAILED',
    context: { topic: 'app-words', offset: 0 },
    cause: { message: 'poisoned' },
  })
  expect(running.state.phase).toBe('failed')
  await expect(running.caughtUp()).rejects.toThrow('poisoned')
})

it.each(['stop', 'replace'] as const)('refuses at once what can never run, with %s', async (onFailure) => {
  const data = await given([])
  await expect(start(data, { threads: 0, onFailure })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  await expect(start(data, { youngGenerationMb: 0, onFailure })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  await expect(start(data, { oldGenerationMb: -1, onFailure })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  await expect(start({ ...data, invalid: 'option' }, { onFailure })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  await expect(start({ ...data, invalid: 'throws' }, { onFailure })).rejects.toThrow('no job today')
  const noJob = new URL('../../support/records.ts', import.meta.url)
  await expect(runThreads(noJob, { threads: 1, logger: false })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

it('gives the embedded log to one thread only', async () => {
  const data = await given(['a'])
  await expect(start(data, { threads: 2 })).rejects.toMatchObject({ code: 'DATA_DIRECTORY' })
})

it('has all threads join together, when the last of them is ready', async () => {
  const directories = await Promise.all([0, 1].map(() => mkdtemp(join(tmpdir(), 'millrace-joining-'))))
  const data: JoiningData = { directories, seen: new Int32Array(new SharedArrayBuffer(12)) }
  const job = new URL('./joining-job.ts', import.meta.url)
  const running = await runThreads(job, { threads: 2, data, logger: false, handleSignals: false })
  await running.ready()
  await running.stop()
  expect([data.seen[JOINED], data.seen[EARLY]]).toEqual([2, 0])
})
