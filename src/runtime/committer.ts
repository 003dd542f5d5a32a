import { MillraceError } from '../errors.ts'
import { BatchWriter } from '../log/batch/batch-writer.ts'
import type { CommittedOffset, LogGroup, LogProducer } from '../log/log.ts'
import type { RefusedRow, SinkBatch } from '../sinks/sink.ts'
import type { OpenTask } from './assignment.ts'
import { type Checkpoint, encodeCheckpoint } from './checkpoint.ts'
import type { Patience } from './patience.ts'
import type { Sinks } from './sinks.ts'
import type { CommittedBatch } from './snapshots/snapshots.ts'
import type { Stamped } from './stamp-gate.ts'
import type { OutgoingBatch } from './task/outbox.ts'
import type { SinkOutput, TaskOutput } from './task/task.ts'

export interface CommitterDependencies {
  readonly producer: LogProducer
  readonly transactional: boolean
  readonly group: LogGroup
  readonly sinks: Sinks
  readonly patiently: Patience
  /** What happens to a row that a sink refuses: the batches to write for it, or it throws. */
  readonly onRefused: (sink: string, batch: SinkBatch<unknown, unknown>, row: RefusedRow) => OutgoingBatch | undefined
  readonly stamped: Stamped
  /** Somebody wants the bytes of what is committed to this partition; absent: nobody does. */
  readonly keeps?: (topic: string, partition: number) => boolean
  /** Names each step before it is taken; faults are injected here. */
  readonly onStep?: (step: CommitStep) => void | Promise<void>
}

export type CommitStep = 'plan' | 'sinks' | 'produce' | 'offsets' | 'end' | 'done'

/** What one commit did. */
export interface Committed {
  readonly batches: number
  readonly rows: number
}

/** Makes the output of tasks durable together with the offsets it comes from: the one way anything leaves a worker. */
export interface Committer {
  /** Sends batches ahead of the commit that they belong to. */
  send(batches: readonly OutgoingBatch[]): void
  /**
   * In this order: the plan of append sinks is written down, sinks, log, offsets. With exactly once the last two are
   * one transaction, and under way together. What carries the group's stamp waits while the group is rebalancing. Throws `FENCED` when another
   * has taken over; nothing of it is then visible on the log.
   */
  commit(
    work: readonly { readonly open: OpenTask; readonly output: TaskOutput }[],
    /** Told what is on the log once it is committed; also when there was nothing to do. */
    onCommitted?: (batches: readonly CommittedBatch[]) => void,
  ): Promise<Committed>
  /** Something has been sent and not committed. */
  readonly hasSent: boolean
  /** Forgets what was sent and not committed. */
  abort(): Promise<void>
}

export function createCommitter(on: CommitterDependencies): Committer {
  const { producer, transactional, group, sinks, patiently, stamped } = on
  let sending: Promise<CommittedBatch>[] = []
  /** Of what is kept until it is committed. */
  const reusable: (() => void)[] = []
  let inTransaction = false

  const send = (batches: readonly OutgoingBatch[]) => {
    if (batches.length === 0) return
    begin()
    for (const batch of batches) {
      const sent = sendOne(batch)
      // Looked at in the commit; until then a failure must not count as unhandled.
      sent.catch(() => {})
      sending.push(sent)
    }
  }
  const sendOne = async ({ topic, partition, records, bytes, reuse }: OutgoingBatch): Promise<CommittedBatch> => {
    const isKept = on.keeps?.(topic, partition) ?? false
    const { offset } = await producer.send(topic, partition, bytes)
    if (!isKept) reuse?.()
    else if (reuse) reusable.push(reuse)
    return { topic, partition, records, offset, bytes: isKept ? bytes : undefined }
  }
  const begin = () => {
    if (!transactional || inTransaction) return
    producer.begin()
    inTransaction = true
  }

  return {
    send,
    get hasSent() {
      return sending.length > 0
    },
    async commit(work, onCommitted) {
      const changed = work.filter(({ open, output }) => hasChanged(open, output))
      if (changed.length === 0 && sending.length === 0) {
        onCommitted?.([])
        return { batches: 0, rows: 0 }
      }
      const planned = changed.filter(({ output }) => output.sinks.some(({ sink }) => sink.mode === 'append'))
      if (planned.length > 0) {
        await on.onStep?.('plan')
        const plans = planned.flatMap(({ open, output }) =>
          offsetsOf(open.task.partition, open.committed.positions, {
            times: open.committed.times,
            identity: open.identity,
            plan: Object.fromEntries(output.positions),
          }),
        )
        await patiently('log', () => stamped((stamp) => group.commit(plans, stamp)))
      }
      const rows = changed.flatMap(({ output }) => output.sinks)
      if (rows.length > 0) await on.onStep?.('sinks')
      const letters = await Promise.all(rows.map((of) => writeRows(of)))
      await on.onStep?.('produce')
      const batches = [...changed.flatMap(({ output }) => output.batches), ...letters.flat()]
      send(batches)
      const acknowledged = Promise.all(sending)
      // Membership may be lost before anybody looks at it.
      acknowledged.catch(() => {})
      if (!transactional) await acknowledged
      const offsets = changed.flatMap(({ open, output }) =>
        offsetsOf(open.task.partition, output.positions, { times: output.times, identity: open.identity }),
      )
      await on.onStep?.('offsets')
      if (transactional) {
        await stamped(async (stamp) => {
          begin()
          // Both are in the transaction, which ends only when both are: neither needs to wait for the other.
          await both(acknowledged, producer.sendOffsets(offsets, stamp))
          await on.onStep?.('end')
          await producer.commit()
        })
        inTransaction = false
      } else await patiently('log', () => stamped((stamp) => group.commit(offsets, stamp)))
      const sent = await acknowledged
      sending = []
      for (const { open, output } of changed) open.committed = { positions: output.positions, times: output.times }
      onCommitted?.(sent)
      for (const reuse of reusable.splice(0)) reuse()
      await on.onStep?.('done')
      return { batches: sent.length, rows: rows.reduce((sum, { batch }) => sum + batch.keys.length, 0) }
    },
    async abort() {
      const sent = sending
      sending = []
      await Promise.allSettled(sent)
      for (const reuse of reusable.splice(0)) reuse()
      if (inTransaction) await producer.abort()
      inTransaction = false
    },
  }

  async function writeRows({ node, sink, batch }: SinkOutput): Promise<OutgoingBatch[]> {
    const refused = await patiently(`sink ${sink.name}`, () => sinks.write(node, batch))
    return refused.flatMap((row) => on.onRefused(sink.name, batch, row) ?? [])
  }
}

/** Resolves when both have; rejects when neither is under way any more. */
async function both(one: Promise<unknown>, other: Promise<unknown>): Promise<void> {
  const ended = await Promise.allSettled([one, other])
  for (const of of ended) if (of.status === 'rejected') throw of.reason
}

/** Nothing to make durable: no record was processed and nothing came of time passing. */
function hasChanged({ committed }: OpenTask, { positions, batches, sinks }: TaskOutput): boolean {
  if (batches.length > 0 || sinks.length > 0) return true
  for (const [topic, position] of positions) if (committed.positions.get(topic) !== position) return true
  return false
}

/** The checkpoint travels with each of them; see `checkpointOf`. */
function offsetsOf(
  partition: number,
  positions: ReadonlyMap<string, number>,
  checkpoint: Checkpoint,
): CommittedOffset[] {
  const metadata = encodeCheckpoint(checkpoint)
  return [...positions].map(([topic, offset]) => ({ topic, partition, offset, metadata }))
}

/** A refused row as a dead letter: its key and value as JSON, since the bytes it came from are many records. */
export function refusedRowLetter(
  { topic, most }: { readonly topic: string; readonly most: number },
  sink: string,
  batch: SinkBatch<unknown, unknown>,
  { index, error }: RefusedRow,
): OutgoingBatch {
  const writer = new BatchWriter(1024)
  const { range, keys, values, timestamps, offsets } = batch
  const header = (name: string, value: string) => [`__streams.errors.${name}`, Buffer.from(value)] as const
  const headers = [
    header('exception', error.code),
    header('message', error.message),
    header('topic', range.topic),
    header('partition', String(range.partition)),
    header('offset', String(offsets[index])),
    header('sink', sink),
  ]
  writer.append(timestamps[index], Buffer.from(text(keys[index])), Buffer.from(text(values[index])), headers)
  if (writer.size > most) {
    const size = `the letter would have ${writer.size} bytes, and ${topic} takes ${most}`
    writer.undo()
    writer.append(timestamps[index], null, null, [...headers, header('left.out', `key and value: ${size}`)])
  }
  return { topic, partition: 0, bytes: writer.finish(), records: 1 }
}

function text(value: unknown): string {
  try {
    return typeof value === 'string'
      ? value
      : (JSON.stringify(value, (_, of) => (typeof of === 'bigint' ? `${of}` : of)) ?? '')
  } catch (cause) {
    throw new MillraceError('UNENCODABLE_RECORD', 'a refused row cannot be written as a dead letter', { cause })
  }
}
