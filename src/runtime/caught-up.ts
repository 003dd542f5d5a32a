import type { Log, LogGroup, Position, TopicPartition } from '../log/log.ts'
import type { Plan } from '../topology/plan.ts'
import type { OpenTask } from './assignment.ts'

/**
 * Whether the group has committed everything that its inputs, repartition topics included, hold at this moment.
 *
 * Upstream first: when that is committed to its end, the end of what it writes is final; where two subtopologies write to
 * each other, it is when nothing has come in the meantime.
 */
export async function hasCaughtUp(
  { subtopologies }: Plan,
  counts: ReadonlyMap<string, number>,
  log: Log,
  group: LogGroup,
): Promise<boolean> {
  const seen: Position[] = []
  const internal = new Set(
    subtopologies.flatMap(({ sources }) => sources.flatMap(({ topic, from }) => (from === undefined ? [] : [topic]))),
  )
  // What a member has committed may lie behind the open transaction of another, whose end it waits for.
  const endsOf = async (partitions: readonly TopicPartition[]) => {
    const [written, between] = [false, true].map((is) => partitions.filter(({ topic }) => internal.has(topic) === is))
    const ends = await Promise.all([
      written.length > 0 ? log.admin.endOffsets(written) : [],
      between.length > 0 ? log.admin.endOffsets(between, 'uncommitted') : [],
    ])
    return ends.flat()
  }
  for (const { id, sources } of subtopologies) {
    const tasks = counts.get(`subtopology:${id}`)!
    const partitions = [...new Set(sources.map(({ topic }) => topic))].flatMap((topic) =>
      Array.from({ length: Math.min(tasks, counts.get(topic)!) }, (_, partition) => ({ topic, partition })),
    )
    const [ends, committed] = await Promise.all([endsOf(partitions), group.committed(partitions)])
    const reached = ({ topic, partition, offset }: Position) =>
      offset === 0 || committed.some((of) => of.topic === topic && of.partition === partition && of.offset >= offset)
    if (!ends.every(reached)) return false
    seen.push(...ends)
  }
  const now = await endsOf(seen)
  return seen.every(({ topic, partition, offset }) =>
    now.some((end) => end.topic === topic && end.partition === partition && end.offset === offset),
  )
}

/** A task that has records to process, or results to commit, for certain. */
export function isBehind({ task, committed }: OpenTask): boolean {
  return task.inputs.some(
    ({ topic, queue, fetched, end, position, isEndKnown }) =>
      isEndKnown && (queue.length > 0 || fetched < end || position > (committed.positions.get(topic) ?? 0)),
  )
}

/** A transaction has ended for its producer before its markers are everywhere: until then nobody can read what it wrote. */
export async function isReadable(written: readonly Position[], log: Log): Promise<boolean> {
  if (written.length === 0) return true
  const ends = await log.admin.endOffsets(written)
  return written.every(({ topic, partition, offset }) =>
    ends.some((end) => end.topic === topic && end.partition === partition && end.offset >= offset),
  )
}
