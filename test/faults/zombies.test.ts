import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { faults } from '../support/faults.ts'
import { kafkaBrokers } from '../support/services.ts'
import { type CountingJob, countingJob, protocols } from './counting-job.ts'

let log: Log
let job: CountingJob
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())
afterEach(() => job.killAll())

const TASKS = 8 // two subtopologies of four partitions

it.each(protocols)(
  '%s: an instance that slept through its session is fenced: others have its tasks, and none of its writes are seen',
  async (protocol) => {
    const { rounds, below } = faults('zombie', 1)
    job = await countingJob(log, kafkaBrokers(), protocol)
    for (let round = 0; round < rounds; round++) {
      const zombie = job.start()
      await zombie.until(({ phase, tasks }) => phase === 'running' && tasks.length === TASKS)
      // It works while it is frozen: a transaction is most likely open.
      const feeding = job.feed(20_000)
      await zombie.until(() => zombie.child.pid !== undefined)
      if (below(2)) await feeding
      zombie.kill('SIGSTOP')
      await feeding
      const heir = job.start()
      await heir.until(({ phase, tasks }) => phase === 'running' && tasks.length === TASKS)
      await job.feed(2_000)
      zombie.kill('SIGCONT')
      await job.complete()
      // It finds out, joins again, and takes its part.
      await zombie.until(({ phase, tasks }) => phase === 'running' && tasks.length > 0 && tasks.length < TASKS)
      expect(zombie.log()).toMatch(/membership lost|fenced/)
      await job.feed(2_000)
      await job.complete()
      await Promise.all([zombie.stop(), heir.stop()])
    }
  },
)

it.each(protocols)(
  '%s: of two instances with one id the older is fenced, and none of its later writes are seen',
  async (protocol) => {
    const { rounds } = faults('same id', 1)
    for (let round = 0; round < rounds; round++) {
      job = await countingJob(log, kafkaBrokers(), protocol)
      const older = job.start({ instanceId: 'same' })
      await older.until(({ phase, tasks }) => phase === 'running' && tasks.length === TASKS)
      await job.feed(5_000)
      const newer = job.start({ instanceId: 'same' })
      await newer.until(({ phase, tasks }) => phase === 'running' && tasks.length === TASKS)
      await job.feed(5_000)
      await job.complete()
      // A name that is given twice is a fault of whoever runs them: the older one does not fight for it, and says so.
      expect(await older.ended()).not.toBe(0)
      expect(older.log()).toMatch(/FENCED_INSTANCE_ID|instance/)
      await newer.stop()
    }
  },
)
