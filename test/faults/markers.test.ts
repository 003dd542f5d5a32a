import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { kafka } from '../../src/log/kafka/index.ts'
import { transport } from '../../src/log/kafka/transport.ts'
import type { Log, LogProducer, TopicPartition } from '../../src/log/log.ts'
import { valuesOf } from '../../src/testing/contracts/log/fixture.ts'
import { faults } from '../support/faults.ts'
import { readRecords } from '../support/records.ts'
import { isRunning, kafkaBrokers, restart, start, uniqueName } from '../support/services.ts'

/**
 * A broker that is stopped in good order takes the leaders off its partitions first, and goes on ending transactions for some
 * 50 ms. Of partitions that have no leader it takes no notice: the transaction is committed, or aborted, and they have no
 * marker that says so. Nobody can read on there, and the next marker of the same producer decides over the old records, too.
 */
const { rounds } = faults('markers', 3)
const PRODUCERS = 20
const PARTITIONS = 5
/** The more partitions a broker gives up, the longer this takes it, and the more transactions fall into it. */
const MANY = 300
/** From the moment the broker is back; everything that heals takes part in it. */
const PATIENCE_MS = 30_000

let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers(), requestTimeoutMs: 5_000 })
  await log.connect()
})
afterAll(() => log.close())
afterEach(async () => {
  if (!isRunning('kafka')) await start('kafka')
})

/** One transaction after the other, each over one partition and an offset, and what is known of them. */
async function writer(topic: string, who: number) {
  const at: TopicPartition = { topic, partition: who % PARTITIONS }
  const stamp = { group: `${topic}-${who}`, memberId: '', epoch: -1 }
  const group = log.group({ ...noMember, group: stamp.group, topics: [topic] })
  const committed: string[] = []
  let producer: LogProducer
  let n = 0

  const renew = async () => {
    producer = log.producer({ transactionalId: stamp.group, transactionTimeoutMs: 60_000 })
    await vi.waitUntil(() => producer.init().then(() => true, isAway), { timeout: PATIENCE_MS, interval: 100 })
  }
  const position = async () => (await group.committed([at]))[0]?.offset ?? 0
  await renew()

  return {
    committed,
    async begin() {
      n++
      producer.begin()
      await producer.send(topic, at.partition, valuesOf(`${who}.${n}`))
      await producer.sendOffsets([{ ...at, offset: n }], stamp)
    },
    async end() {
      try {
        await ((n + who) % 4 === 0 ? producer.abort() : producer.commit())
      } catch (error) {
        isAway(error)
        await producer.abort().catch(isAway)
        await producer.close()
        await renew()
      }
    },
    /** Whether it was committed is for its offset to say. */
    async look() {
      if ((await position()) === n) committed.push(`${who}.${n}`)
    },
    async close() {
      await producer.close()
      await group.leave()
    },
  }
}

const noMember = {
  tasks: [],
  onRevoked: async () => {},
  onAssigned: async () => {},
  onLost: async () => {},
  onError: () => {},
}

function isAway(error: unknown): false {
  expect(error).toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|FENCED/) })
  return false
}

/** Until the broker has taken the leaders off its partitions. */
async function leaderless(topic: string): Promise<void> {
  const broker = transport({ brokers: kafkaBrokers() })
  try {
    for (;;) {
      await broker.refresh([topic])
      await broker.leader(topic, 0)
    }
  } catch (error) {
    isAway(error)
  }
  await broker.close()
}

it('a broker that is stopped while transactions end leaves none of them open, and none is decided otherwise later', async () => {
  const topic = uniqueName('markers')
  const many = uniqueName('many')
  await log.admin.create([
    { topic, partitions: PARTITIONS },
    { topic: many, partitions: MANY },
  ])
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
  const writers = await Promise.all(Array.from({ length: PRODUCERS }, (_, who) => writer(topic, who)))
  for (let round = 0; round < rounds; round++) {
    await Promise.all(writers.map((of) => of.begin()))
    const restarted = restart('kafka')
    await leaderless(topic)
    const ended = writers.map((of) => of.end())
    await restarted
    await Promise.all(ended)
    // Nobody writes now, so that nothing ends the old transactions by the way.
    await vi.waitFor(
      async () =>
        expect(await log.admin.endOffsets(partitions)).toEqual(await log.admin.endOffsets(partitions, 'uncommitted')),
      { timeout: PATIENCE_MS, interval: 200 },
    )
    await Promise.all(writers.map((of) => of.look()))
  }
  const all = await readRecords(log, topic)
  expect(all.map(({ value }) => value).sort()).toEqual(writers.flatMap(({ committed }) => committed).sort())
  await Promise.all(writers.map((of) => of.close()))
  await log.admin.delete([many])
})
