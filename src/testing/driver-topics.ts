import { stampBatch } from '../log/batch/batch-writer.ts'
import { readBatch } from '../log/batch/read-batch.ts'
import type { RecordBatch } from '../log/batch/record-batch.ts'

/** A batch of one partition, and the task whose commit it waits for. */
interface Written {
  readonly batch: RecordBatch
  /** undefined: committed. */
  writer: string | undefined
}

interface Partition {
  written: Written[]
  end: number
}

/** The topics of a topology driver: what a log would hold, in memory, each task's output one transaction per commit. */
export class DriverTopics {
  private readonly topics = new Map<string, Partition[]>()

  /** @param writer - the task that writes; undefined: from outside, committed at once */
  append(topic: string, partition: number, bytes: Buffer, writer?: string): RecordBatch {
    const log = this.partition(topic, partition)
    stampBatch(bytes, { producerId: -1, epoch: -1, sequence: -1, transactional: false, baseOffset: log.end })
    const batch = readBatch(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
    log.written.push({ batch, writer })
    log.end = batch.lastOffset + 1
    return batch
  }

  batches(topic: string, partition: number): RecordBatch[] {
    return this.partition(topic, partition).written.map(({ batch }) => batch)
  }

  /** The offset that the next record gets. */
  end(topic: string, partition: number): number {
    return this.partition(topic, partition).end
  }

  /** What a task has written so far stays. */
  commit(writer: string): void {
    for (const written of this.all()) if (written.writer === writer) written.writer = undefined
  }

  /** Takes back what no commit has confirmed; its offsets stay taken, as on Kafka. Gives what is gone. */
  abort(): Set<RecordBatch> {
    const aborted = new Set<RecordBatch>()
    for (const written of this.all()) if (written.writer !== undefined) aborted.add(written.batch)
    for (const partitions of this.topics.values()) {
      for (const log of partitions) if (log) log.written = log.written.filter(({ batch }) => !aborted.has(batch))
    }
    return aborted
  }

  private *all(): Iterable<Written> {
    for (const partitions of this.topics.values()) for (const log of partitions) if (log) yield* log.written
  }

  private partition(topic: string, partition: number): Partition {
    let partitions = this.topics.get(topic)
    if (!partitions) this.topics.set(topic, (partitions = []))
    return (partitions[partition] ??= { written: [], end: 0 })
  }
}
