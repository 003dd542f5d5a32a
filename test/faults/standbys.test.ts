import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { faults } from '../support/faults.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { kafkaBrokers, uniqueName } from '../support/services.ts'
import { protocols } from './counting-job.ts'
import type { KeyedOptions, KeyedState } from './keyed-process.ts'

/** A task with much state moves to where its state is, and little is read then: killed, and when an instance joins. */

const KEYS = 120_000
const PARTITIONS = 4
const SOME = 2_000
/** Of the changelog, at a take-over. */
const SMALL_FRACTION = 0.1

let log: Log
let application: string
let instances: Set<Keyed>
let fed: number[]
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())
beforeEach(async () => {
  application = uniqueName('standbys')
  instances = new Set()
  fed = new Array<number>(KEYS).fill(0)
  await log.admin.create(['in', 'out'].map((name) => ({ topic: `${application}-${name}`, partitions: PARTITIONS })))
})
afterEach(() => {
  for (const { child } of instances) child.kill('SIGKILL')
})

interface Logged {
  readonly msg: string
  readonly time: string
  readonly task?: string
  readonly tasks?: readonly string[]
  readonly records?: number
  readonly ms?: number
}

/** A process that runs the job of keyed-process.ts. */
interface Keyed {
  readonly child: ChildProcess
  /** The last thing it said. */
  said(): KeyedState
  logged(msg: string): (Logged & { at: number })[]
  until(so: (said: KeyedState) => boolean): Promise<void>
  /** Waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>
}

function start(options: Partial<KeyedOptions> = {}): Keyed {
  const complete: KeyedOptions = {
    application,
    brokers: kafkaBrokers(),
    protocol: 'classic',
    standbys: 1,
    acceptableLag: 10_000,
    sessionTimeoutMs: 6_000,
    ...options,
  }
  const script = join(import.meta.dirname, 'keyed-process.ts')
  const child = spawn(process.execPath, ['-C', 'millrace-source', script, JSON.stringify(complete)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let text = ''
  child.stdout.on('data', (chunk) => (said = `${said}${chunk}`.slice(-2_000)))
  child.stderr.on('data', (chunk) => (text += chunk))
  const last = (): KeyedState | undefined => {
    const line = said.split('\n').at(-2)
    return line?.startsWith('{') ? JSON.parse(line) : undefined
  }
  const keyed: Keyed = {
    child,
    said: () => last()!,
    logged: (msg) =>
      text
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line): Logged => JSON.parse(line))
        .filter((line) => line.msg === msg)
        .map((line) => ({ ...line, at: new Date(line.time).getTime() })),
    async until(so) {
      await vi.waitUntil(
        () => {
          if (child.exitCode !== null)
            throw new Error(`an instance ended with ${child.exitCode}: ${text.slice(-3_000)}`)
          const state = last()
          return state !== undefined && so(state)
        },
        { timeout: 120_000, interval: 50 },
      )
    },
    async end(signal) {
      instances.delete(keyed)
      child.kill(signal)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
  instances.add(keyed)
  return keyed
}

/** Behind those that it had logged before. What an instance logs comes by another pipe than what it says. */
async function promotions(of: Keyed, tasks: number, before = 0) {
  const logged = () => of.logged('standby promoted').slice(before)
  await vi.waitUntil(() => logged().length >= tasks, { timeout: 30_000 })
  return logged()
}

/** One record for each of these keys. */
async function feed(from: number, to: number): Promise<void> {
  const timestamp = 1_700_000_000_000
  for (let next = from; next < to; next += 10_000) {
    const keys = Array.from({ length: Math.min(to, next + 10_000) - next }, (_, i) => next + i)
    for (const key of keys) fed[key]++
    await writeRecords(
      log,
      `${application}-in`,
      keys.map((key) => ({ key: `key-${key}`, value: 'x', timestamp })),
    )
  }
}

/** Every record is counted, and counted once. */
async function complete(): Promise<void> {
  const total = fed.reduce((sum, n) => sum + n, 0)
  let latest = new Map<string | null, number>()
  await vi.waitUntil(
    async () => {
      latest = new Map((await readRecords(log, `${application}-out`)).map(({ key, value }) => [key, Number(value)]))
      return [...latest.values()].reduce((sum, n) => sum + n, 0) >= total
    },
    { timeout: 120_000, interval: 500 },
  )
  expect(fed.filter((n, key) => (latest.get(`key-${key}`) ?? 0) !== n)).toEqual([])
}

async function changelogEnd(tasks: readonly string[]): Promise<number> {
  const topic = `${application}-counts-changelog`
  const partitions = tasks.map((task) => ({ topic, partition: Number(task.split('_')[1]) }))
  return (await log.admin.endOffsets(partitions)).reduce((sum, { offset }) => sum + offset, 0)
}

/** Committed records of the changelog of a task from there on. */
async function behindOf(task: string, offset: number): Promise<number> {
  const partition = Number(task.split('_')[1])
  const records = await readRecords(log, `${application}-counts-changelog`, { partition, offset })
  return records.length
}

const isSpread = ({ phase, tasks, standbys, lag, followed }: KeyedState) =>
  phase === 'running' &&
  tasks.length === PARTITIONS / 2 &&
  standbys.length === PARTITIONS / 2 &&
  followed === standbys.length &&
  lag === 0

/** Two instances that share the tasks, each with the other's as standbys, and every key written once. */
async function fedPair(protocol: (typeof protocols)[number]) {
  const pair = [start({ protocol }), start({ protocol })]
  await Promise.all(pair.map((one) => one.until(isSpread)))
  await feed(0, KEYS)
  await complete()
  return pair
}

it.each(protocols)(
  '%s: a killed instance is replaced by its standbys, which read the rest of the changelog and no more',
  async (protocol) => {
    const { rounds, below } = faults(`standby kills ${protocol}`, 2)
    const pair = await fedPair(protocol)
    for (let round = 0; round < rounds; round++) {
      await Promise.all(pair.map((one) => one.until(isSpread)))
      const [victim] = pair.splice(below(2), 1)
      const [heir] = pair
      const before = heir.logged('standby promoted').length
      // In the middle of work.
      await feed(0, SOME)
      await victim.end('SIGKILL')
      await feed(0, SOME)
      await heir.until(({ phase, tasks }) => phase === 'running' && tasks.length === PARTITIONS)
      const promoted = await promotions(heir, PARTITIONS / 2, before)
      expect(promoted).toHaveLength(PARTITIONS / 2)
      const read = promoted.reduce((sum, { records = 0 }) => sum + records, 0)
      const all = await changelogEnd(promoted.map(({ task }) => task!))
      console.log(
        `${protocol}: taken over after a kill: ${read} records read of ${all} in the changelogs, ` +
          `running ${Math.max(...promoted.map(({ ms = 0 }) => ms))} ms after the assignment`,
      )
      expect(all).toBeGreaterThan(KEYS / 3)
      expect(read).toBeLessThan(all * SMALL_FRACTION)
      await complete()
      pair.push(start({ protocol }))
    }
    await Promise.all(pair.map((one) => one.until(isSpread)))
    await Promise.all(pair.map((one) => one.end('SIGTERM')))
  },
)

it.each(protocols)('%s: a standby that is far behind reads exactly what it has not read yet', async (protocol) => {
  const { rounds, below } = faults(`lagging standbys ${protocol}`, 1)
  const pair = await fedPair(protocol)
  for (let round = 0; round < rounds; round++) {
    await Promise.all(pair.map((one) => one.until(isSpread)))
    const [victim] = pair.splice(below(2), 1)
    const [heir] = pair
    const tasks = heir.said().standbys
    heir.child.kill('SIGUSR2')
    await heir.until(({ stoppedAt }) => Object.keys(stoppedAt).length === tasks.length)
    const { stoppedAt } = heir.said()
    // The owner goes on, for several commits.
    for (let turn = 0; turn < 3; turn++) {
      await feed(0, (turn + 1) * SOME)
      await complete()
    }
    expect(heir.said().stoppedAt).toEqual(stoppedAt)
    const behind = Object.fromEntries(
      await Promise.all(tasks.map(async (task) => [task, await behindOf(task, stoppedAt[task])])),
    )
    const before = heir.logged('standby promoted').length
    await victim.end('SIGKILL')
    await heir.until(({ phase, tasks: mine }) => phase === 'running' && mine.length === PARTITIONS)
    const promoted = await promotions(heir, tasks.length, before)
    expect(Object.fromEntries(promoted.map(({ task, records }) => [task, records]))).toEqual(behind)
    expect(heir.said().wentOnAt).toEqual(stoppedAt)
    const read = promoted.reduce((sum, { records = 0 }) => sum + records, 0)
    expect(read).toBeGreaterThan(SOME)
    console.log(
      `${protocol}: taken over by standbys that were behind: ${read} records read of ${await changelogEnd(tasks)}, ` +
        `running ${Math.max(...promoted.map(({ ms = 0 }) => ms))} ms after the assignment`,
    )
    await feed(0, KEYS / 10)
    await complete()
    // The next heir must be one that has not stopped reading.
    await heir.end('SIGTERM')
    pair.splice(0, 1, start({ protocol }), start({ protocol }))
  }
  await Promise.all(pair.map((one) => one.end('SIGTERM')))
})

it('tasks move to an instance that joins when it has warmed them up, and stand still only for the rest', async () => {
  const { rounds } = faults('warm-ups', 1)
  const first = start({ standbys: 0, acceptableLag: 1_000 })
  await feed(0, KEYS)
  await complete()
  for (let round = 0; round < rounds; round++) {
    const joining = start({ standbys: 0, acceptableLag: 1_000 })
    await joining.until(({ phase, tasks }) => phase === 'running' && tasks.length === PARTITIONS / 2)
    const promoted = await promotions(joining, PARTITIONS / 2)
    expect(joining.logged('warm-up has caught up').length).toBeGreaterThanOrEqual(PARTITIONS / 2)
    expect(promoted).toHaveLength(PARTITIONS / 2)
    const read = promoted.reduce((sum, { records = 0 }) => sum + records, 0)
    expect(read).toBeLessThan((await changelogEnd(promoted.map(({ task }) => task!))) * SMALL_FRACTION)
    const pauses = promoted.map(({ task, at }) => {
      const revoked = first
        .logged('tasks revoked')
        .filter(({ tasks, at: then }) => tasks!.includes(task!) && then <= at)
      return at - revoked.at(-1)!.at
    })
    console.log(`moved when warm: ${read} records read, nobody had a task for ${Math.max(...pauses)} ms at most`)
    await feed(0, SOME)
    await complete()
    await joining.end('SIGTERM')
    await first.until(({ phase, tasks }) => phase === 'running' && tasks.length === PARTITIONS)
  }
  await first.end('SIGTERM')
})
