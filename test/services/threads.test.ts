import { expect, it } from 'vitest'
import { runThreads } from '../../src/index.ts'
import { kafka } from '../../src/log/kafka/index.ts'
import type { WordsData } from '../runtime/threads/words-job.ts'
import { readRecords, writeRecords } from '../support/records.ts'
import { kafkaBrokers, uniqueName } from '../support/services.ts'

const WORDS = 20_000
const DISTINCT = 500

it('shares the tasks of an application between threads, and loses and doubles nothing when one is replaced', async () => {
  const application = uniqueName('threads')
  const log = kafka({ brokers: kafkaBrokers() })
  await log.connect()
  const topics = [`${application}-words`, `${application}-counts`]
  await log.admin.create(topics.map((topic) => ({ topic, partitions: 4 })))
  const words = (from: number) =>
    Array.from({ length: WORDS }, (_, i) => ({ key: `w${(from + i) % DISTINCT}`, value: 'word', timestamp: from + i }))
  await writeRecords(log, topics[0], words(0))

  const poison = new Int32Array(new SharedArrayBuffer(4))
  const data: WordsData = { application, log: { brokers: kafkaBrokers() }, poison }
  const job = new URL('../runtime/threads/words-job.ts', import.meta.url)
  const running = await runThreads(job, { threads: 2, data, onFailure: 'replace', logger: false, handleSignals: false })
  await running.ready()
  await running.caughtUp()
  expect(running.state.tasks.toSorted()).toEqual(['0_0', '0_1', '0_2', '0_3'])

  poison[0] = 1
  await writeRecords(log, topics[0], [{ key: 'w0', value: 'poison', timestamp: WORDS }])
  await writeRecords(log, topics[0], words(WORDS))
  await running.caughtUp()
  expect(await running.metrics.text()).toContain('millrace_thread_failures_total 1')
  await running.ready()
  expect(running.state.tasks.toSorted()).toEqual(['0_0', '0_1', '0_2', '0_3'])
  await running.stop()

  const counts = Object.fromEntries((await readRecords(log, topics[1])).map(({ key, value }) => [key, Number(value)]))
  const each = (2 * WORDS) / DISTINCT
  expect(counts).toEqual(
    Object.fromEntries(Array.from({ length: DISTINCT }, (_, i) => [`w${i}`, i === 0 ? each + 1 : each])),
  )
  await log.close()
})
