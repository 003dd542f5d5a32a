import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { kafkaBrokers, uniqueName } from '../support/services.ts'
import type { Sample } from './soak-process.ts'

/** A day in miniature: a steady rate for `--minutes`, with windows that come and go. */
const MINUTES = Number(process.env.FAULT_MINUTES ?? 0.5)
const PER_SECOND = 5_000
const PARTITIONS = 4
const WINDOW_MS = 5_000
/** Not looked at: code is compiled, buffers find their size, the first windows have not closed yet. */
const WARM_UP = 12

let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())

it('a steady rate leaves memory, descriptors and lag where they were, and the output is right', async () => {
  const application = uniqueName('soak')
  const topics = ['in', 'finals', 'counts'].map((name) => `${application}-${name}`)
  await log.admin.create(topics.map((topic) => ({ topic, partitions: PARTITIONS })))
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '-C',
      'millrace-source',
      join(import.meta.dirname, 'soak-process.ts'),
      JSON.stringify({ application, brokers: kafkaBrokers() }),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  let logged = ''
  child.stdout.on('data', (chunk) => (said += chunk))
  child.stderr.on('data', (chunk) => (logged = (logged + chunk).slice(-5_000)))
  const ended = once(child, 'close')
  try {
    await vi.waitUntil(() => said.includes('\n'), { timeout: 60_000, interval: 50 })
    const samples = () =>
      said
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Sample)

    const began = Date.now()
    let fed = 0
    const timeOf = (n: number) => 1_700_000_000_000 + Math.floor((n * 1_000) / PER_SECOND)
    const feedTo = async (end: number) => {
      const numbers = Array.from({ length: end - fed }, (_, i) => fed + i)
      fed = end
      await writeRecords(
        log,
        topics[0],
        numbers.map((n) => ({ key: `key-${n % 1_000}`, value: `${n}`, timestamp: timeOf(n) })),
      )
    }
    const end = Math.max(WARM_UP * 2, MINUTES * 60)
    while (samples().length < end) {
      const due = Math.floor(((Date.now() - began) * PER_SECOND) / 1_000)
      // After a standstill of the machine the backlog comes in pieces, as from a producer that is throttled.
      await feedTo(Math.min(due, fed + PER_SECOND))
      await pause(50)
      expect(child.exitCode, `${said.slice(-500)} ${logged}`).toBe(null)
    }

    const steady = samples().slice(WARM_UP)
    const [first, last] = [steady.slice(0, steady.length >> 1), steady.slice(-(steady.length >> 1))]
    const least = (of: readonly Sample[], what: keyof Sample) => Math.min(...of.map((sample) => sample[what]))
    const summary = (['heap', 'buffers', 'descriptors', 'lag'] as const).map(
      (what) => `${what} ${least(first, what)} and then ${least(last, what)}`,
    )
    process.stdout.write(`soak: ${steady.length} s, ${fed} records; ${summary.join('; ')}\n`)
    expect(least(last, 'heap'), 'heap').toBeLessThan(1.1 * least(first, 'heap') + 2e6)
    expect(least(last, 'buffers'), 'buffers').toBeLessThan(1.2 * least(first, 'buffers') + 16e6)
    expect(least(last, 'descriptors'), 'descriptors').toBeLessThanOrEqual(least(first, 'descriptors') + 1)
    expect(least(last, 'lag'), 'lag, records').toBeLessThan(2 * PER_SECOND)

    // Closes the windows of all that came before, in every partition.
    const everything = fed
    const closing = Array.from({ length: 1_000 }, (_, i) => i)
    await writeRecords(
      log,
      topics[0],
      closing.map((n) => ({ key: `key-${n}`, value: `${n}`, timestamp: timeOf(fed) + 3_600_000 })),
    )
    const wanted = new Map<string, number>()
    for (let n = 0; n < everything; n++) {
      const start = timeOf(n) - (timeOf(n) % WINDOW_MS)
      const name = `word-${n % 100}@${start}`
      wanted.set(name, (wanted.get(name) ?? 0) + 1)
    }
    const finals = async () =>
      (await log.admin.endOffsets(partitionsOf(topics[1]))).reduce((n, { offset }) => n + offset, 0)
    await vi.waitUntil(async () => (await finals()) >= wanted.size, { timeout: 60_000, interval: 100 })
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    const found = await readRecords(log, topics[1])
    expect(found.length, 'final results').toBe(wanted.size)
    const wrong = found.filter(({ key, value }) => wanted.get(key!) !== Number(value))
    expect(wrong).toEqual([])
    expect(new Set(found.map(({ key }) => key)).size).toBe(wanted.size)
  } finally {
    child.kill('SIGKILL')
  }
})

const partitionsOf = (topic: string) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
