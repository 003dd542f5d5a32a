import { MillraceError } from '../errors.ts'
import type { Position } from '../log/log.ts'
import type { Metrics } from './metrics.ts'
import { afterOutOfRange, type OutOfRangeDependencies } from './out-of-range.ts'

export interface LostPlansDependencies extends OutOfRangeDependencies {
  readonly metrics: Metrics
}

/** What one partition had been planned up to. */
export interface Planned extends Position {
  /** Offset after the last record of the range. */
  readonly end: number
}

/**
 * Ranges that had been planned (see `Checkpoint.plan`) and that the log does not reach to any more: their topic was deleted and
 * made anew. What has come to these offsets since are other records, and would be taken for those that sinks have already. The
 * policy for offsets that are out of range says where to go on; otherwise throws `OFFSET_OUT_OF_RANGE`.
 *
 * @returns where to read on instead, by partition
 */
export async function lostPlans(planned: readonly Planned[], on: LostPlansDependencies): Promise<Position[]> {
  if (planned.length === 0) return []
  const ends = await on.patiently('log', () => on.log.admin.endOffsets(planned, 'uncommitted'))
  const isLost = ({ topic, partition, end }: Planned) =>
    end > ends.find((of) => of.topic === topic && of.partition === partition)!.offset
  const found: Position[] = []
  for (const plan of planned.filter(isLost)) {
    const { topic, partition, offset, end } = plan
    const gone = new MillraceError(
      'OFFSET_OUT_OF_RANGE',
      `records from offset ${offset} to ${end - 1}, which sinks may have already, are not there any more`,
      { topic, partition, offset: end - 1, hint: "set outOfRange: 'earliest' or 'latest' to go on without them" },
    )
    found.push(await afterOutOfRange(gone, on))
    dropPlan(plan, on)
  }
  return found
}

/** Nothing is done about it, but it is said. */
export function dropPlan({ topic, partition, end }: Planned, { metrics, logger }: LostPlansDependencies): void {
  metrics.planDropped(topic)
  logger.error(
    { topic, partition, planned: end },
    'the range that was planned for sinks is gone: it is dropped, and they may have a part of it',
  )
}
