import type { RecordBatch } from '../log/batch/record-batch.ts'
import type { SinkOutput } from '../runtime/task/task.ts'
import type { DriverRow } from './driver-records.ts'

/** A batch that came out on a topic. */
interface Unread {
  readonly partition: number
  readonly batch: RecordBatch
}

/** What came out of a topology driver and has not been taken, by topic and by sink. */
export class DriverOutput {
  private readonly unread = new Map<string, Unread[]>()
  private readonly rows = new Map<string, DriverRow[]>()

  add(topic: string, partition: number, batch: RecordBatch): void {
    const unread = this.unread.get(topic) ?? []
    unread.push({ partition, batch })
    this.unread.set(topic, unread)
  }

  take(topic: string): readonly Unread[] {
    const unread = this.unread.get(topic) ?? []
    this.unread.delete(topic)
    return unread
  }

  addRows({ sink, batch }: SinkOutput): void {
    const rows = this.rows.get(sink.name) ?? []
    for (const [i, key] of batch.keys.entries()) {
      rows.push({ key, value: batch.values[i], timestamp: batch.timestamps[i], offset: batch.offsets[i] })
    }
    this.rows.set(sink.name, rows)
  }

  takeRows(sink: string): DriverRow[] {
    const rows = this.rows.get(sink) ?? []
    this.rows.delete(sink)
    return rows
  }

  /** Forgets batches that were taken back. */
  drop(aborted: ReadonlySet<RecordBatch>): void {
    for (const [topic, batches] of this.unread) {
      this.unread.set(
        topic,
        batches.filter(({ batch }) => !aborted.has(batch)),
      )
    }
  }
}
