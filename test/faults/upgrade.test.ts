import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { faults } from '../support/faults.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { kafkaBrokers } from '../support/services.ts'
import { type CountingJob, countingJob, type Instance, type Said } from './counting-job.ts'

/** A rolling upgrade under load: instances of the next version come, those of the last one go, and the group is one all the time. */

const PARTITIONS = 4
const OLD_TASKS = 2 * PARTITIONS
/** The next version reads one more topic. */
const NEW_TASKS = 3 * PARTITIONS

let log: Log
let job: CountingJob
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())
afterEach(() => job.killAll())

const running =
  (tasks: number) =>
  ({ phase, tasks: mine, standbys }: Said) =>
    phase === 'running' && mine.length === tasks && standbys.length > 0
const topicOf = (name: string) => `${job.application}-${name}`
const countsOf = async (name: string) =>
  new Map((await readRecords(log, topicOf(name))).map(({ key, value }) => [key, Number(value)]))

/** One record for each of these keys. */
async function feedExtra(from: number, to: number): Promise<void> {
  const keys = Array.from({ length: to - from }, (_, i) => from + i)
  const records = keys.map((n) => ({ key: `extra-${n}`, value: 'x', timestamp: 1_700_000_000_000 }))
  await writeRecords(log, topicOf('extra'), records)
}

it('nothing is lost or doubled while a version with other tasks, and with standbys, takes the place of the last one', async () => {
  const { rounds, below } = faults('upgrade', 1)
  for (let round = 0; round < rounds; round++) {
    job = await countingJob(log, kafkaBrokers())
    await log.admin.create(
      ['extra', 'keys-of-extra', 'keys-of-in'].map((name) => ({ topic: topicOf(name), partitions: PARTITIONS })),
    )
    await feedExtra(0, 1_000)
    const start = (version: 1 | 2) => job.start({ version, standbys: 1 })
    const old = [start(1), start(1)]
    await Promise.all(old.map((of) => of.until(running(OLD_TASKS / 2))))
    const fresh: Instance[] = []
    await job.underLoad(async () => {
      for (const [i, of] of old.entries()) {
        const next = start(2)
        fresh.push(next)
        // It runs what only it can run, at least, beside the older ones.
        await next.until(({ phase, tasks }) => phase === 'running' && tasks.length >= PARTITIONS)
        // One dies of it, now and then.
        if (below(3) === 0) of.kill()
        else of.kill('SIGTERM')
        await of.ended()
        if (i === 0) await feedExtra(1_000, 2_000)
      }
      await Promise.all(fresh.map((of) => of.until(running(NEW_TASKS / 2))))
    })
    await job.complete()
    const counted = await countsOf('keys-of-in')
    // Whoever ran the older version has not counted keys; nobody has counted one twice.
    expect(new Set(counted.values())).toEqual(new Set([1]))
    // From here on all is counted.
    const first = await fedSoFar()
    await job.feed(2_000)
    await job.complete()
    const after = await countsOf('keys-of-in')
    expect(Array.from({ length: 2_000 }, (_, i) => after.get(`key-${first + i}`))).toEqual(Array(2_000).fill(1))
    const extras = await countsOf('keys-of-extra')
    expect(extras.size).toBe(2_000)
    expect(new Set(extras.values())).toEqual(new Set([1]))
    console.log(`upgraded: ${counted.size} of ${first} keys counted by the next version meanwhile`)
    for (const of of fresh) {
      expect(of.log()).not.toMatch(/fenced|membership lost/)
      await of.stop()
    }
  }
})

/** Every record has a key of its own. */
async function fedSoFar(): Promise<number> {
  return (await readRecords(log, topicOf('in'))).length
}
