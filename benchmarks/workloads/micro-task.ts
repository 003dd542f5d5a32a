import { avro, plan, string } from 'millrace'
import { BatchWriter, ByteWriter, partitionFor } from 'millrace/testing'
import { readBatch } from '../../src/log/batch/read-batch.ts'
import type { RecordBatch } from '../../src/log/batch/record-batch.ts'
import { createTask, type Task } from '../../src/runtime/task/task.ts'
import { systemClock } from '../../src/time.ts'
import { partitionCounts } from '../../src/topology/partitions.ts'
import { Stopped } from '../suite/stopwatch.ts'
import type { Measured, RunSettings, Workload } from '../suite/workload.ts'
import { type Transaction, transactions } from '../transactions/generate.ts'
import { registry, transactionSchema } from '../transactions/schemas.ts'
import { slidingJob } from './sliding.ts'
import { tumblingJob } from './tumbling.ts'

const PARTITIONS = 4
const TOPIC = 'transactions'
const PER_BATCH = 200
/** Batches that a task is given at once, about as many as a fetch brings. */
const PER_FETCH = 50
const COMMITS = 4

/**
 * Two jobs through their tasks, without a log: what processing costs, and what each commit does. CPU time is the process's, so
 * that the compiler's and the collector's threads count.
 */
export const microTask: Workload = {
  name: 'micro-task',
  summary: 'the tasks of tumbling and sliding alone, without a log: processing, and each flush at a commit',
  records: 1_000_000,
  smokeRecords: 50_000,
  nodeOptions: tumblingJob.nodeOptions,
  onLog: false,
  async measure(settings) {
    return [
      ...(await measureJob('tumbling', tumblingJob, settings)),
      // Three results come of each record.
      ...(await measureJob('sliding', slidingJob, { ...settings, records: Math.ceil(settings.records! / 5) })),
    ]
  },
}

async function measureJob(name: string, job: Workload, settings: RunSettings): Promise<Measured[]> {
  const n = settings.records!
  const partitions = batches(n, settings.seed)
  const tasks = await open(job, settings)
  const processing = new Stopped()
  const flushes: Stopped[] = []
  let done = 0
  let outputs = 0
  while (done < n) {
    await processing.during(async () => {
      for (const [partition, task] of tasks.entries()) {
        const some = partitions[partition].splice(0, PER_FETCH)
        const next = (some.at(-1)?.lastOffset ?? 0) + 1
        if (some.length > 0) task.add(TOPIC, some, next, Number.POSITIVE_INFINITY)
        for (let records = 1; records > 0; done += records) records = task.process(4096)
      }
      // The collector's tasks get their turn.
      await systemClock.breathe()
    })
    if (done < (n * (flushes.length + 1)) / COMMITS) continue
    const flush = new Stopped()
    await flush.during(() => {
      for (const task of tasks) for (const { records } of task.flush().batches) outputs += records
    })
    flushes.push(flush)
  }
  const lines: Measured[] = [{ variant: `micro-task ${name} process`, n, ...processing }]
  for (const [i, flush] of flushes.entries()) lines.push({ variant: `micro-task ${name} flush ${i + 1}`, n, ...flush })
  if (outputs === 0) throw new Error('nothing came out')
  return lines
}

async function open(job: Workload, settings: RunSettings): Promise<Task[]> {
  const { topology } = job.threadJob!({ ...settings, topics: [TOPIC] })
  const planned = plan(topology)
  const counts = partitionCounts(planned, () => PARTITIONS)
  const [subtopology] = planned.subtopologies
  const tasks = Array.from({ length: PARTITIONS }, (_, partition) =>
    createTask(subtopology, partition, {
      application: planned.application,
      registry: registry(),
      emit: 'commit',
      partitions: (topic) => counts.get(topic) ?? PARTITIONS,
      tasks: () => PARTITIONS,
      clock: systemClock,
      policies: { undecodable: 'fail', failing: 'fail', refused: 'fail' },
      deadLetterTopic: undefined,
    }),
  )
  for (const task of tasks) {
    for (const codec of task.codecs) await codec.prepare?.()
    task.seek(TOPIC, 0)
    task.start({})
  }
  return tasks
}

/** The records of each partition, as they are on the log. */
function batches(n: number, seed: number): RecordBatch[][] {
  const keys = string().open({ topic: TOPIC, part: 'key' })
  const serde = avro<Transaction>(transactionSchema, { subject: TOPIC })
  const values = serde.open({ topic: TOPIC, part: 'value', registry: registry() })
  const key = new ByteWriter()
  const value = new ByteWriter()
  const writers = Array.from({ length: PARTITIONS }, () => new BatchWriter())
  const made: RecordBatch[][] = writers.map(() => [])
  const finish = (partition: number) => {
    const bytes = writers[partition].finish()
    bytes.writeBigInt64BE(BigInt((made[partition].at(-1)?.lastOffset ?? -1) + 1), 0)
    made[partition].push(readBatch(bytes, new DataView(bytes.buffer), 0, bytes.length))
  }
  for (const one of transactions(n, seed)) {
    keys.encode(one.user_id, key.reset())
    values.encode(one, value.reset())
    const partition = partitionFor(key.buffer, PARTITIONS, 0, key.position)
    const writer = writers[partition]
    writer.appendFrom(one.created_at, key, value)
    if (writer.count === PER_BATCH) finish(partition)
  }
  for (const [partition, { count }] of writers.entries()) if (count > 0) finish(partition)
  return made
}
