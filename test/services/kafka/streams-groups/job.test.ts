import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import {
  count,
  groupBy,
  json,
  type Running,
  run,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../../../src/index.ts'
import { kafka } from '../../../../src/log/kafka/index.ts'
import { eventually } from '../../../../src/testing/contracts/log/fixture.ts'
import { readRecords, writeRecords } from '../../../support/records.ts'
import { kafkaBrokers, uniqueName } from '../../../support/services.ts'
import { streamsMembers } from './members.ts'

const { log, open } = streamsMembers()

describe('a job', () => {
  const counting = (name: string) =>
    topology(name, [
      stream(`${name}-in`, { key: string(), value: string() }).pipe(
        groupBy((value) => value),
        count('counts'),
        toStream(),
        to(`${name}-out`, { key: string(), value: json<number | null>() }),
      ),
    ])
  const start = async (name: string, job = counting(name)): Promise<Running> => {
    const options = { protocol: 'streams', brokers: kafkaBrokers() } as const
    const running = await run(job, { log: kafka(options), logger: false, handleSignals: false })
    open.push(() => running.stop().catch(() => {}))
    return running
  }

  it('ends when an input topic has grown, and runs with the new partitions when it is started again', async () => {
    const name = uniqueName('grown')
    await log.admin.create(['in', 'out'].map((topic) => ({ topic: `${name}-${topic}`, partitions: 2 })))
    const copying = topology(name, [
      stream(`${name}-in`, { key: string(), value: string() }).pipe(
        to(`${name}-out`, { key: string(), value: string() }),
      ),
    ])
    const one = await start(name, copying)
    await one.ready()
    const admin = new Kafka({ brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    open.push(() => admin.disconnect())
    await admin.createPartitions({ topicPartitions: [{ topic: `${name}-in`, count: 3 }] })
    await expect(one.done).rejects.toMatchObject({ code: 'TOPIC_MISMATCH', message: expect.stringMatching(/0_2/) })
    const again = await start(name, copying)
    await eventually(() => expect(again.state.tasks).toEqual(['0_0', '0_1', '0_2']))
  })

  it('runs by the tasks of the broker, which agrees with it on all topics', async () => {
    const name = uniqueName('job')
    await log.admin.create(['in', 'out'].map((topic) => ({ topic: `${name}-${topic}`, partitions: 3 })))
    const words = Array.from({ length: 300 }, (_, n) => ({ key: `${n}`, value: `word-${n % 5}`, timestamp: n }))
    await writeRecords(log, `${name}-in`, words)
    const [one, two] = [await start(name), await start(name)]
    await eventually(() => {
      expect([...one.state.tasks, ...two.state.tasks].sort()).toEqual(['0_0', '0_1', '0_2', '1_0', '1_1', '1_2'])
      expect(one.state.tasks).toHaveLength(3)
    })
    await one.caughtUp()
    const counted = new Map((await readRecords(log, `${name}-out`)).map(({ key, value }) => [key, Number(value)]))
    expect([...counted].sort()).toEqual(Array.from({ length: 5 }, (_, n) => [`word-${n}`, 60]))
  })
})
