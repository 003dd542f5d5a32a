import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { kafkaBrokers, uniqueName } from '../support/services.ts'
import { trendOf } from '../support/trend.ts'
import type { Sample, SoakOptions } from './soak-process.ts'

/** A day in miniature: a steady rate for `--minutes`, with windows that come and go. */
const MINUTES = Number(process.env.FAULT_MINUTES ?? 0.5)
const PER_SECOND = 5_000
const PARTITIONS = 4
const WINDOW_MS = 5_000
/** In a short round: until code is compiled, buffers have found their size and the first windows have closed. */
const WARM_UP = 15

let log: Log
let snapshots: string
beforeAll(async () => {
  snapshots = await mkdtemp(join(tmpdir(), 'millrace-soak-'))
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(async () => {
  await log.close()
  await rm(snapshots, { recursive: true, force: true })
})

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
      JSON.stringify({ application, brokers: kafkaBrokers(), snapshots } satisfies SoakOptions),
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
    const group = log.group({ group: application, topics: [], tasks: [], ...ignored })
    const inputs = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: topics[0], partition }))
    /** What is written and not committed by the job, as the broker has it: the job's own word is not taken for it. */
    const lags: number[] = []
    const sampleLag = async () => {
      const committed = await group.committed(inputs)
      const ends = await log.admin.endOffsets(inputs)
      const sum = (of: readonly { readonly offset: number }[]) => of.reduce((total, { offset }) => total + offset, 0)
      lags.push(sum(ends) - sum(committed))
    }
    const end = Math.max(WARM_UP * 2, MINUTES * 60)
    while (samples().length < end) {
      const due = Math.floor(((Date.now() - began) * PER_SECOND) / 1_000)
      // After a standstill of the machine the backlog comes in pieces, as from a producer that is throttled.
      await feedTo(Math.min(due, fed + PER_SECOND))
      if (samples().length > lags.length) await sampleLag()
      await pause(50)
      expect(child.exitCode, `${said.slice(-500)} ${logged}`).toBe(null)
    }

    expectFlat(samples(), lags, fed)

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
    // Offsets would not tell: the ends of transactions have some, too.
    let found: Awaited<ReturnType<typeof readRecords>> = []
    await vi.waitUntil(async () => (found = await readRecords(log, topics[1])).length >= wanted.size, {
      timeout: 90_000,
      interval: 500,
    })
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    found = await readRecords(log, topics[1])
    expect(found.length, 'final results').toBe(wanted.size)
    const wrong = found.filter(({ key, value }) => wanted.get(key!) !== Number(value))
    expect(wrong).toEqual([])
    expect(new Set(found.map(({ key }) => key)).size).toBe(wanted.size)
  } finally {
    child.kill('SIGKILL')
  }
})

/**
 * What may grow over the second half of the samples, beyond doubt: no more than this, in bytes or numbers. Over the ten
 * minutes of a nightly run the heap's share is less than a byte per record.
 */
const MOST_GROWTH = { heap: 2e6, buffers: 4e6, rss: 24e6, descriptors: 1, lag: 3 * PER_SECOND } as const

function expectFlat(samples: readonly Sample[], lags: readonly number[], fed: number): void {
  const late = <T>(values: readonly T[]) => values.slice(values.length >> 1)
  const of = (kind: keyof Sample) => late(samples.map((sample) => sample[kind]))
  const values = {
    heap: of('heap'),
    buffers: of('buffers'),
    rss: of('rss'),
    descriptors: of('descriptors'),
    lag: late(lags),
  }
  const kinds = Object.keys(MOST_GROWTH) as (keyof typeof MOST_GROWTH)[]
  const trends = kinds.map((kind) => ({ kind, ...trendOf(values[kind]) }))
  const text = ({ kind, mean, growth, doubt }: (typeof trends)[number]) =>
    `${kind} ${Math.round(mean)}, growing by ${Math.round(growth)} ± ${Math.round(doubt)}`
  process.stdout.write(`soak: ${fed} records; the last ${values.heap.length} s: ${trends.map(text).join('; ')}\n`)
  for (const { kind, growth, doubt } of trends)
    expect(growth - doubt, `growth of ${kind}`).toBeLessThan(MOST_GROWTH[kind])
  expect(Math.min(...values.lag), 'lag, records').toBeLessThan(2 * PER_SECOND)
}

/** Only asks for offsets, and never joins. */
const ignored = {
  onRevoked: async () => {},
  onAssigned: async () => {},
  onLost: async () => {},
  onError: () => {},
}
