import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { embedded } from '../../src/log/embedded/embedded.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import type { CommitStep } from '../../src/runtime/committer.ts'
import { type LakeTarget, readLake } from '../../src/sinks/lake/index.ts'
import { type TestServer, testServer } from '../sinks/clickhouse/server.ts'
import { faults } from '../support/faults.ts'
import { readRecords } from '../support/records.ts'
import { kafkaBrokers, s3Bucket, uniqueName } from '../support/services.ts'
import { ledgerTables, ledgerTopics, type Posting, type Total, WINDOW_MS } from './ledger-job.ts'
import type { LedgerLife } from './ledger-process.ts'

/** A life per step in a short round, and each ends at a step: at its begin, or some way into it. */
const STEPS: readonly CommitStep[] = ['plan', 'sinks', 'produce', 'offsets', 'end', 'done']
const PARTITIONS = 3

let server: TestServer
let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'millrace-kills-'))
  server = await testServer()
})
afterAll(async () => {
  await server.close()
  await rm(scratch, { recursive: true, force: true })
})

type Place = Pick<LedgerLife, 'brokers' | 'protocol' | 'directory' | 'lake'>

/** Lives one after the other; all but the last are killed. What the stores held at the end. */
async function lives(kills: number, application: string, place: Place, dice: (n: number) => number) {
  const common = { application, ...place, snapshots: join(scratch, application), partitions: PARTITIONS }
  const hit = new Map<CommitStep, number>()
  for (let round = 0; round < kills; round++) {
    const step = STEPS[round % STEPS.length]
    const laterMs = Math.floor(round / STEPS.length) % 2 === 0 ? 0 : 1 + dice(8)
    const die = { step, after: dice(6), laterMs }
    const ended = await live({ ...common, clickhouseUrl: server.url, round, die })
    expect(ended).toEqual({ signal: 'SIGKILL', last: `dies at ${step}` })
    hit.set(step, (hit.get(step) ?? 0) + 1)
  }
  expect([...hit.keys()]).toEqual(STEPS)
  const { signal, last } = await live({ ...common, clickhouseUrl: server.url, round: kills })
  expect({ signal, last }).toEqual({ signal: null, last: expect.stringMatching(/^ends with/) })
  return JSON.parse(last.slice('ends with '.length)) as [string, Total][]
}

async function live(life: LedgerLife): Promise<{ signal: string | null; last: string }> {
  const script = join(import.meta.dirname, 'ledger-process.ts')
  const child = spawn(process.execPath, ['-C', 'millrace-source', script, JSON.stringify(life)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let logged = ''
  child.stdout.on('data', (chunk) => (said += chunk))
  child.stderr.on('data', (chunk) => (logged += chunk))
  const [code, signal] = await once(child, 'close')
  if (code !== null && code !== 0) throw new Error(`the ledger ended with ${code}: ${said} ${logged.slice(-3_000)}`)
  return { signal, last: said.trimEnd().split('\n').at(-1)! }
}

/** Compares everything that the job wrote with what its input says. */
async function audit(log: Log, application: string, lake: LakeTarget, stored: [string, Total][]): Promise<void> {
  const topics = ledgerTopics(application)
  const tables = ledgerTables(application)
  const input = (await readRecords(log, topics.in)).map(({ value, timestamp }) => ({
    posting: JSON.parse(value!) as Posting,
    timestamp,
  }))
  const totals = new Map<string, Total>()
  let last = 0
  for (const { posting, timestamp } of input) {
    const start = timestamp - (timestamp % WINDOW_MS)
    const name = `${posting.account}@${start}`
    const { postings, amount } = totals.get(name) ?? { postings: 0, amount: 0 }
    totals.set(name, { postings: postings + 1, amount: amount + posting.amount })
    last = Math.max(last, start)
  }
  const byName = (of: Iterable<[string, Total]>) => Object.fromEntries([...of].sort(([a], [b]) => (a < b ? -1 : 1)))
  const wanted = byName(totals)
  expect(byName(stored), 'windows in the store').toEqual(wanted)

  const updates = await readRecords(log, topics.totals)
  const seen = new Map<string, Total>()
  for (const { key, value } of updates) {
    const total = JSON.parse(value!) as Total
    expect(total.postings, `a total of ${key} that goes back`).toBeGreaterThan(seen.get(key!)?.postings ?? 0)
    seen.set(key!, total)
  }
  expect(byName(seen), 'totals on the topic').toEqual(wanted)

  const finals = await readRecords(log, topics.finals)
  expect(new Set(finals.map(({ key }) => key)).size, 'a window closes once').toBe(finals.length)
  expect(byName(finals.map(({ key, value }) => [key!, JSON.parse(value!)])), 'final totals').toEqual(
    byName([...totals].filter(([name]) => !name.endsWith(`@${last}`))),
  )

  const rows = await server.rows<{ name: string; postings: number; amount: string }>(
    `SELECT concat(key, '@', toString(toUnixTimestamp64Milli(toDateTime64(window_start, 3)))) AS name, postings, amount FROM ${tables.totals} FINAL`,
  )
  expect(
    byName(rows.map(({ name, postings, amount }) => [name, { postings, amount: Number(amount) }])),
    'totals in ClickHouse',
  ).toEqual(wanted)

  const names = input.map(({ posting }) => `${posting.round}/${posting.n}`).sort()
  expect(new Set(names).size, 'the input itself').toBe(names.length)
  const appended = await server.rows<{ round: number; n: number }>(`SELECT round, n FROM ${tables.postings}`)
  expect(appended.map(({ round, n }) => `${round}/${n}`).sort(), 'postings in ClickHouse').toEqual(names)
  const filed: string[] = []
  for await (const { rows } of readLake<{ value: string }>({ to: lake })) {
    for (const { value } of rows) {
      const { round, n } = JSON.parse(value) as Posting
      filed.push(`${round}/${n}`)
    }
  }
  expect(filed.sort(), 'postings in the lake').toEqual(names)
}

describe('nothing is lost or doubled by SIGKILL at every step of the commit', () => {
  it.each([
    ['classic', 18],
    ['streams', 6],
  ] as const)('on Kafka (%s), with the lake in a bucket', async (protocol, short) => {
    const { rounds, below } = faults('kills on kafka', short)
    const application = uniqueName('ledger')
    const lake = { ...s3Bucket(), prefix: application }
    const brokers = kafkaBrokers()
    const stored = await lives(rounds, application, { brokers, protocol, lake }, below)
    const log = kafka({ brokers })
    await log.connect()
    await audit(log, application, lake, stored)
    await log.close()
  })

  it('on the embedded log, with the lake in a directory', async () => {
    const { rounds, below } = faults('kills on embedded', 12)
    const application = uniqueName('ledger')
    const [directory, lake] = [join(scratch, 'log'), join(scratch, 'lake')]
    const stored = await lives(rounds, application, { directory, lake }, below)
    const log = embedded(directory)
    await log.connect()
    await audit(log, application, lake, stored)
    await log.close()
  })
})
