import type { Log, LogGroup, Position, TopicPartition } from '../log/log.ts'
import type { Plan } from '../topology/plan.ts'

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
  const endsOf = async (partitions: readonly TopicPartition[]) => [
    ...(await log.admin.endOffsets(partitions.filter(({ topic }) => !internal.has(topic)))),
    ...(await log.admin.endOffsets(
      partitions.filter(({ topic }) => internal.has(topic)),
      'uncommitted',
    )),
  ]
  for (const { id, sources } of subtopologies) {
    const tasks = counts.get(`subtopology:${id}`)!
    const partitions = [...new Set(sources.map(({ topic }) => topic))].flatMap((topic) =>
      Array.from({ length: Math.min(tasks, counts.get(topic)!) }, (_, partition) => ({ topic, partition })),
    )
    const ends = await endsOf(partitions)
    const committed = await group.committed(partitions)
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
