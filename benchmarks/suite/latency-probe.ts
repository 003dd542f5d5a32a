/** A thread that sends records at a steady rate, and looks when their results can be read. */
import { parentPort, workerData } from 'node:worker_threads'
import { type Log, long, string } from 'millrace'
import { BatchWriter, ByteWriter, partitionFor } from 'millrace/testing'
import { type Place, withLog } from './place.ts'

export interface Probe {
  readonly place: Place
  readonly input: string
  readonly output: string
  /** Records per second. */
  readonly rate: number
  readonly seconds: number
}

/** Percentiles in ms. */
export interface Probed {
  readonly n: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

const PARTITIONS = 4
const KEYS = 10_000
const TICK_MS = 5
const BATCH_BYTES = 500_000
/** Microseconds: the clock of the machine, finer than Date. */
const now = () => Math.round((performance.timeOrigin + performance.now()) * 1000)

async function send(log: Log, { input, rate, seconds }: Probe): Promise<number> {
  const producer = log.producer()
  await producer.init()
  const writers = Array.from({ length: PARTITIONS }, () => new BatchWriter())
  const keys = string().open({ topic: input, part: 'key' })
  const values = long().open({ topic: input, part: 'value' })
  const key = new ByteWriter()
  const value = new ByteWriter()
  const began = performance.now()
  let sent = 0
  const acknowledged: Promise<unknown>[] = []
  const flush = (least: number) => {
    for (const [partition, writer] of writers.entries()) {
      if (writer.count > 0 && writer.size >= least) acknowledged.push(producer.send(input, partition, writer.finish()))
    }
  }
  while (sent < rate * seconds) {
    // What is due by now: a tick that comes late sends more, so that the rate is kept.
    const due = Math.min(rate * seconds, ((performance.now() - began) / 1000) * rate)
    for (; sent < due; sent++) {
      keys.encode(`key-${sent % KEYS}`, key.reset())
      values.encode(now(), value.reset())
      writers[partitionFor(key.buffer, PARTITIONS, 0, key.position)].appendFrom(Date.now(), key, value)
      // A tick that comes very late is more than the topic takes as one batch.
      if (sent % 1_000 === 0) flush(BATCH_BYTES)
    }
    flush(0)
    // No wait for anything: this is the pace of a sender.
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await Promise.all(acknowledged)
  await producer.close()
  return sent
}

/** Reads results until as many have come as were sent. */
async function listen(
  log: Log,
  { output }: Probe,
  ends: readonly { partition: number; offset: number }[],
  sent: Promise<number>,
): Promise<Float64Array> {
  const reader = log.reader({ isolation: 'committed' })
  const positions = ends.map(({ partition, offset }) => ({ topic: output, partition, offset }))
  const values = long().open({ topic: output, part: 'value' })
  const found: number[] = []
  let expected = Number.POSITIVE_INFINITY
  void sent.then((n) => {
    expected = n
  })
  while (found.length < expected) {
    const limits = { maxBytes: 16 << 20, maxBytesPerPartition: 1 << 20, maxWaitMs: 200 }
    for (const { partition, batches, next } of await reader.fetch(positions, limits)) {
      const arrived = now()
      for (const batch of batches) {
        for (let i = 0; i < batch.count; i++) {
          found.push((arrived - values.decode(batch, batch.valueStart[i], batch.valueEnd[i])) / 1000)
        }
      }
      positions.find((of) => of.partition === partition)!.offset = next
    }
  }
  await reader.close()
  return Float64Array.from(found).sort()
}

async function measure(probe: Probe): Promise<Probed> {
  return withLog(probe.place, async (log) => {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: probe.output, partition }))
    const ends = await log.admin.endOffsets(partitions)
    const sent = send(log, probe)
    const sorted = await listen(log, probe, ends, sent)
    const at = (share: number) =>
      Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1))
    return { n: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999) }
  })
}

parentPort!.postMessage(await measure(workerData as Probe))
