import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { faults } from '../support/faults.ts'
import { kafkaBrokers } from '../support/services.ts'
import { type CountingJob, countingJob, type Instance, protocols } from './counting-job.ts'

/** Instances come, and die, while others are still reading their state. */
const WORDS = 100_000
const TASKS = 8 // two subtopologies of four partitions

let log: Log
let job: CountingJob
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())
afterEach(() => job.killAll())

const restores = (of: Instance) => of.until(({ phase }) => phase === 'restoring')
const runs = (of: Instance, most: number) =>
  of.until(({ phase, tasks }) => phase === 'running' && tasks.length > 0 && tasks.length <= most)

it.each(protocols)(
  '%s: nothing is lost or doubled when a rebalance comes, and an instance dies, in the middle of a restore',
  async (protocol) => {
    const { rounds, below } = faults('restore', 1)
    job = await countingJob(log, kafkaBrokers(), protocol, WORDS)
    let old = job.start()
    await runs(old, TASKS)
    await job.feed(WORDS)
    await job.complete()
    for (let round = 0; round < rounds; round++) {
      await old.stop()
      const first = job.start()
      await restores(first)
      const second = job.start()
      await job.feed(1_000)
      // Before the second has its part, or while it reads it; or nobody dies.
      const dies = below(3)
      if (dies === 0) first.kill()
      if (dies === 1) {
        await restores(second)
        second.kill()
      }
      await runs(dies === 0 ? second : first, TASKS)
      if (dies === 2) await runs(second, TASKS - 1)
      await job.feed(1_000)
      await job.complete()
      if (dies === 2) await second.stop()
      old = dies === 0 ? second : first
    }
    expect(old.child.exitCode).toBe(null)
    await old.stop()
  },
)
