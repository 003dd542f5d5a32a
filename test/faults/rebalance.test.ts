import { setTimeout as away } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { faults } from '../support/faults.ts'
import { kafkaBrokers } from '../support/services.ts'
import { type CountingJob, countingJob, type Instance, protocols, type Said } from './counting-job.ts'

/** Instances come and go under load, and those that stay do not notice. `--rounds 10` scales ten times. */

let log: Log
let job: CountingJob
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())
afterEach(() => job.killAll())

const TASKS = 8 // two subtopologies of four partitions
const running =
  (least: number, most = least) =>
  ({ phase, tasks }: { phase: string; tasks: readonly string[] }) =>
    phase === 'running' && tasks.length >= least && tasks.length <= most

interface Logged {
  readonly msg: string
  readonly time: number
  readonly tasks?: readonly string[]
}

const logged = (of: Instance): Logged[] =>
  of
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => ({ ...JSON.parse(line) }))
    .map((line) => ({ ...line, time: new Date(line.time).getTime() }))

/** For each task that somebody gave up and somebody else was given: how long nobody had it, in ms. */
function pauses(instances: readonly Instance[]): number[] {
  const lines = instances.flatMap(logged)
  return lines
    .filter(({ msg }) => msg === 'tasks revoked')
    .flatMap(({ time, tasks }) =>
      (tasks ?? []).flatMap((task) => {
        const next = lines.filter((of) => of.msg === 'tasks assigned' && of.time >= time && of.tasks?.includes(task))
        return next.length > 0 ? [Math.min(...next.map((of) => of.time)) - time] : []
      }),
    )
}

it.each(protocols)(
  '%s: nothing is lost or doubled while one instance becomes three and one again, and the first works on',
  async (protocol) => {
    const { rounds } = faults('scale', 2)
    job = await countingJob(log, kafkaBrokers(), protocol)
    const first = job.start()
    await first.until(running(TASKS))
    const all = [first]
    await job.underLoad(async () => {
      for (let round = 0; round < rounds; round++) {
        const others = [job.start(), job.start()]
        await Promise.all([first, ...others].map((of) => of.until(running(2, 3))))
        all.push(...others)
        for (const other of others) await other.stop()
        await first.until(running(TASKS))
      }
    })
    await job.complete()
    expect(first.log()).not.toMatch(/membership lost|fenced/)
    // It ran at least its share all the time: what stayed was never stopped.
    const revoked = logged(first).filter(({ msg }) => msg === 'tasks revoked')
    expect(revoked.length).toBeGreaterThan(0)
    expect(first.fewestTasks()).toBeGreaterThanOrEqual(2)
    const sorted = pauses(all).sort((a, b) => a - b)
    console.log(
      `${sorted.length} tasks moved between live instances; nobody had them for ${sorted[sorted.length >> 1]} ms (median), ` +
        `${sorted.at(-1)} ms at most`,
    )
    await first.stop()
  },
)

it.each(protocols)(
  '%s: nothing is lost or doubled while instances come, go and die faster than they start',
  async (protocol) => {
    const { rounds, below } = faults('bustle', 2)
    job = await countingJob(log, kafkaBrokers(), protocol)
    const first = job.start()
    await first.until(running(TASKS))
    await job.underLoad(async () => {
      for (let round = 0; round < rounds; round++) {
        const others: Instance[] = []
        for (let n = 0; n < 3; n++) {
          others.push(job.start())
          await away(below(700))
        }
        await away(below(2_000))
        // One in the middle of whatever it does, the others in good order.
        others[below(3)].kill()
        await away(below(1_500))
        await Promise.all(others.map((of) => of.stop()))
        await first.until(running(TASKS))
      }
    })
    await job.complete()
    await first.stop()
  },
)

it.each(protocols)(
  '%s: a named instance that is restarted gets its tasks back, and the other is not disturbed',
  async (protocol) => {
    const { rounds } = faults('named', 2)
    job = await countingJob(log, kafkaBrokers(), protocol)
    // On a busy machine a start can take longer than the session that the other tests have.
    const sessionTimeoutMs = 60_000
    const stays = job.start({ instanceId: 'stays', sessionTimeoutMs })
    await stays.until(running(TASKS))
    let restarted = job.start({ instanceId: 'restarted', sessionTimeoutMs })
    await Promise.all([stays, restarted].map((of) => of.until(running(TASKS / 2))))
    // The broker's protocol gives a new epoch, with the same tasks.
    const disturbance = protocol === 'classic' ? 'tasks assigned' : 'tasks revoked'
    const assignments = () => logged(stays).filter(({ msg }) => msg === disturbance).length
    const before = assignments()
    await job.underLoad(async () => {
      for (let round = 0; round < rounds; round++) {
        // In good order, then without a word.
        if (round % 2 === 0) await restarted.stop()
        else restarted.kill()
        await restarted.ended()
        restarted = job.start({ instanceId: 'restarted', sessionTimeoutMs })
        await restarted.until(running(TASKS / 2))
      }
    })
    await job.complete()
    expect(assignments()).toBe(before)
    await Promise.all([stays.stop(), restarted.stop()])
  },
)

it.each(protocols)('%s: what a killed instance ran goes to the standbys of its tasks', async (protocol) => {
  job = await countingJob(log, kafkaBrokers(), protocol)
  const start = () => job.start({ standbys: 1 })
  const [stays, dies] = [start(), start()]
  // Only the tasks that count have a state to keep a copy of.
  const isSpread = ({ phase, tasks, standbys }: Said) =>
    phase === 'running' && tasks.length === TASKS / 2 && standbys.length > 0
  await Promise.all([stays, dies].map((of) => of.until(isSpread)))
  await job.feed(5_000)
  await job.complete()
  dies.kill()
  await stays.until(running(TASKS))
  await job.feed(2_000)
  await job.complete()
  await stays.stop()
})
