import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { Log } from '../../src/log/log.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { uniqueName } from '../support/services.ts'
import type { InstanceOptions } from './instance-process.ts'

/** What an instance says of itself. */
export interface Said {
  readonly phase: string
  readonly tasks: readonly string[]
  readonly standbys: readonly string[]
  readonly waiting: readonly string[]
}

/** A process that runs the job of instance-process.ts. */
export interface Instance {
  readonly child: ChildProcess
  readonly log: () => string
  /** How many tasks it ran when it ran the fewest, since it first ran any. */
  fewestTasks(): number
  /** Resolves when the last thing it said is so. */
  until(so: (said: Said) => boolean): Promise<void>
  kill(signal?: NodeJS.Signals): void
  /** Its exit code, once it has one. */
  ended(): Promise<number | null>
  /** Stops it in good order. */
  stop(): Promise<void>
}

/** Who spreads the tasks: see `KafkaOptions`. */
export const protocols = ['classic', 'streams'] as const

const PARTITIONS = 4

/** The job, its topics, and what must come out of it. */
export interface CountingJob {
  readonly application: string
  start(options?: Partial<InstanceOptions>): Instance
  /** Writes so many more records, over all partitions. */
  feed(records: number): Promise<void>
  /** Feeds while something else goes on. */
  underLoad(work: () => Promise<void>): Promise<void>
  /** Waits until everything that was fed is there, and checks that it is there once and counted once. */
  complete(withinMs?: number): Promise<void>
  killAll(): void
}

export async function countingJob(
  log: Log,
  brokers: readonly string[],
  protocol: InstanceOptions['protocol'] = 'classic',
  words = 7,
): Promise<CountingJob> {
  const application = uniqueName('faults')
  const topics = ['in', 'copies', 'counts'].map((name) => `${application}-${name}`)
  await log.admin.create(topics.map((topic) => ({ topic, partitions: PARTITIONS })))
  const instances = new Set<Instance>()
  let fed = 0

  function start(options: Partial<InstanceOptions> = {}): Instance {
    const complete: InstanceOptions = { application, brokers, protocol, words, sessionTimeoutMs: 6_000, ...options }
    const script = join(import.meta.dirname, 'instance-process.ts')
    const child = spawn(process.execPath, ['-C', 'millrace-source', script, JSON.stringify(complete)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    let logged = ''
    child.stdout.on('data', (chunk) => (said += chunk))
    child.stderr.on('data', (chunk) => (logged += chunk))
    const last = () =>
      JSON.parse(said.trimEnd().split('\n').at(-1) || '{"phase":"","tasks":[],"standbys":[],"waiting":[]}')
    const instance: Instance = {
      child,
      log: () => logged,
      fewestTasks() {
        const counts = said
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line).tasks.length as number)
        return Math.min(...counts.slice(counts.findIndex((tasks) => tasks > 0)))
      },
      async until(so) {
        await vi.waitUntil(
          () => {
            if (child.exitCode !== null)
              throw new Error(`an instance ended with ${child.exitCode}: ${logged.slice(-3_000)}`)
            return so(last())
          },
          { timeout: 90_000, interval: 20 },
        )
      },
      kill: (signal = 'SIGKILL') => void child.kill(signal),
      async ended() {
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
        return child.exitCode
      },
      async stop() {
        child.kill('SIGTERM')
        await instance.ended()
        instances.delete(instance)
      },
    }
    instances.add(instance)
    return instance
  }

  async function feed(records: number): Promise<void> {
    const more = Array.from({ length: records }, (_, i) => fed + i)
    fed += records
    await writeRecords(
      log,
      topics[0],
      more.map((n) => ({ key: `key-${n}`, value: `${n}`, timestamp: 1_700_000_000_000 + n })),
    )
  }

  return {
    application,
    start,
    feed,
    async underLoad(work) {
      let isOver = false
      const feeding = (async () => {
        while (!isOver) await feed(500)
      })()
      await work().finally(() => {
        isOver = true
      })
      await feeding
    },
    // At most a transaction has to expire (10 s), a session (6 s), and an attempt to be waited for (10 s); busy machines
    // take a multiple of it.
    async complete(withinMs = 90_000) {
      const sorted = async () =>
        (await readRecords(log, topics[1])).map(({ value }) => Number(value)).sort((a, b) => a - b)
      let copies: number[] = []
      await vi.waitUntil(async () => (copies = await sorted()).length >= fed, { timeout: withinMs, interval: 100 })
      const all = Array.from({ length: fed }, (_, n) => n)
      expect(copies).toEqual(all)
      const wanted: Record<string, number> = {}
      for (const n of all) wanted[`word-${n % words}`] = (wanted[`word-${n % words}`] ?? 0) + 1
      const counts = async () =>
        Object.fromEntries((await readRecords(log, topics[2])).map(({ key, value }) => [key, Number(value)]))
      await vi.waitFor(async () => expect(await counts()).toEqual(wanted), {
        timeout: withinMs,
        interval: 100,
      })
      // A count that went beyond its end was written by somebody who counted twice.
      expect(await sorted()).toEqual(all)
    },
    killAll() {
      for (const { child } of instances) child.kill('SIGKILL')
    },
  }
}
