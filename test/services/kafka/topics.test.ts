import { afterAll, beforeAll, expect, it } from 'vitest'
import { count, groupBy, json, run, stream, string, to, topology, toStream } from '../../../src/index.ts'
import { kafka } from '../../../src/log/kafka/index.ts'
import type { Log } from '../../../src/log/log.ts'
import { kafkaBrokers, uniqueName } from '../../support/services.ts'

/** What a job needs of the topics of a real cluster, and what it says when they are not so. */
let log: Log
beforeAll(async () => {
  log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
})
afterAll(() => log.close())

const counting = (name: string) =>
  topology(name, [
    stream(`${name}-in`, { key: string(), value: string() }).pipe(
      groupBy((value) => value),
      count('counts'),
      toStream(),
      to(`${name}-out`, { key: string(), value: json<number | null>() }),
    ),
  ])
const start = (name: string, options: { createTopics?: boolean | { partitions: number } } = {}) =>
  run(counting(name), { log: kafka({ brokers: kafkaBrokers() }), logger: false, ...options })

it('a missing topic is named, with what to do', async () => {
  const name = uniqueName('missing')
  await expect(start(name)).rejects.toMatchObject({ code: 'MISSING_TOPIC', context: { topic: `${name}-in` } })
  await log.admin.create([{ topic: `${name}-in`, partitions: 2 }])
  await expect(start(name)).rejects.toMatchObject({
    code: 'MISSING_TOPIC',
    context: { topic: `${name}-out` },
    hint: expect.stringMatching(/createTopics/),
  })
})

it('topics are made when that is asked for, internal ones with the partitions of their inputs', async () => {
  const name = uniqueName('made')
  const job = await start(name, { createTopics: { partitions: 3 } })
  await job.ready()
  await job.stop()
  const all = [`${name}-in`, `${name}-out`, `${name}-dead-letters`]
  expect(await log.admin.partitions(all)).toEqual(new Map(all.map((topic, i) => [topic, i === 2 ? 1 : 3])))
})

it('an input that has grown is refused, not miscounted', async () => {
  const name = uniqueName('grown')
  const first = await start(name, { createTopics: { partitions: 2 } })
  await first.ready()
  await first.stop()
  await log.admin.delete([`${name}-in`])
  await log.admin.create([{ topic: `${name}-in`, partitions: 4 }])
  await expect(start(name)).rejects.toMatchObject({
    code: 'TOPIC_MISMATCH',
    hint: expect.stringMatching(/application/),
  })
})
