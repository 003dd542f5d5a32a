import { setTimeout as away } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import type { Log } from '../../src/log/log.ts'
import { faults } from '../support/faults.ts'
import { api, type KafkaProxy, kafkaProxy } from '../support/kafka-proxy.ts'
import { isRunning, kafkaBrokers, kill, pause, proxiedKafka, restart, resume, start } from '../support/services.ts'
import { type CountingJob, countingJob, protocols } from './counting-job.ts'

/** What happens to the broker while two instances work. A short round is short; `--rounds` makes the outages long too. */
const { rounds, below } = faults('broker', 1)
const AWAY_MS = process.env.FAULT_ROUNDS === undefined ? 20_000 : 60_000

const { listener, proxy: address } = proxiedKafka()
let log: Log
let proxy: KafkaProxy
let job: CountingJob

beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
  proxy = await kafkaProxy(address, listener)
})
afterAll(async () => {
  await proxy.close()
  await log.close()
})
beforeEach(async () => {
  job = await countingJob(log, [address])
})
afterEach(async () => {
  job.killAll()
  proxy.judge = () => 'pass'
  if (!isRunning('kafka')) await start('kafka')
})

/** Two instances at work; the fault comes when a transaction is open, as far as the proxy can see. */
async function inTheMiddle(fault: () => Promise<void>, protocol?: 'streams'): Promise<void> {
  const instances = [job.start({ protocol }), job.start({ protocol })]
  await Promise.all(instances.map((of) => of.until(({ phase, tasks }) => phase === 'running' && tasks.length === 4)))
  for (let round = 0; round < rounds; round++) {
    const open = Promise.withResolvers<void>()
    let skip = below(5)
    proxy.judge = ({ api: key, at }) => {
      if (key === api.produce && at === 'answer' && skip-- === 0) open.resolve()
      return 'pass'
    }
    await job.feed(10_000)
    await open.promise
    await fault()
    await job.feed(1_000)
    await job.complete()
  }
  for (const { child } of instances) expect(child.exitCode, 'an instance ended by itself').toBe(null)
  await Promise.all(instances.map((of) => of.stop()))
}

describe('nothing is lost or doubled when, in the middle of a transaction,', () => {
  it('the broker is restarted', () => inTheMiddle(() => restart('kafka')))

  it('the broker is killed', () =>
    inTheMiddle(async () => {
      await kill('kafka')
      await start('kafka')
    }))

  it('the broker that spreads the tasks is killed', () =>
    inTheMiddle(async () => {
      await kill('kafka')
      await start('kafka')
    }, 'streams'))

  it('the broker that spreads the tasks is away for longer than a session', () =>
    inTheMiddle(async () => {
      await kill('kafka')
      await away(10_000)
      await start('kafka')
    }, 'streams'))

  it('the broker is away for a while', () =>
    inTheMiddle(async () => {
      await kill('kafka')
      await away(AWAY_MS)
      await start('kafka')
    }))

  it('the broker is frozen for longer than requests wait', () =>
    inTheMiddle(async () => {
      await pause('kafka')
      await away(8_000)
      await resume('kafka')
    }))

  it('the network is away for longer than a transaction may be open', () =>
    inTheMiddle(async () => {
      await proxy.refuse()
      await away(15_000)
      await proxy.accept()
    }))

  it('the coordinators are not available for a while', () =>
    inTheMiddle(async () => {
      const until = Date.now() + 5_000
      proxy.judge = (passing) => {
        if (Date.now() > until) return 'pass'
        if (passing.api === api.endTxn && passing.at === 'answer') return 'cut'
        return passing.api === api.findCoordinator ? 'cut' : 'pass'
      }
      await away(5_000)
    }))
})

it.each(protocols)('%s: nothing is lost or doubled while connections break at random', async (protocol) => {
  const instances = [job.start({ protocol }), job.start({ protocol })]
  await Promise.all(instances.map((of) => of.until(({ phase, tasks }) => phase === 'running' && tasks.length === 4)))
  let cuts = 20 * rounds
  proxy.judge = () => {
    if (cuts === 0 || below(25) > 0) return 'pass'
    cuts--
    return 'cut'
  }
  for (let some = 0; some < 10 * rounds; some++) await job.feed(500)
  await job.complete()
  // The fewer commits the records were done in, the fewer messages there were to cut.
  while (cuts >= 15 * rounds) {
    await job.feed(500)
    await job.complete()
  }
  expect(cuts, 'connections must have been cut').toBeLessThan(15 * rounds)
  await Promise.all(instances.map((of) => of.stop()))
})
