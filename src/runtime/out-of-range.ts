import type { Logger } from 'pino'
import { MillraceError } from '../errors.ts'
import type { Log, LogGroup, Position } from '../log/log.ts'
import type { Settings } from './options.ts'
import type { Patience } from './patience.ts'

export interface OutOfRangeDependencies {
  readonly log: Log
  readonly group: LogGroup
  readonly settings: Settings
  readonly patiently: Patience
  readonly logger: Logger
}

/**
 * Where to read on after an `OFFSET_OUT_OF_RANGE`, by the application's policy; otherwise throws it.
 *
 * Throws `FENCED` when the group has committed beyond the offset: then somebody else has the task, and has trimmed the
 * topic behind it, and this instance is only yet to hear of it.
 */
export async function afterOutOfRange(error: unknown, on: OutOfRangeDependencies): Promise<Position> {
  const { log, group, settings, patiently, logger } = on
  if (!(error instanceof MillraceError) || error.code !== 'OFFSET_OUT_OF_RANGE') throw error
  const { topic, partition, offset } = error.context
  if (topic === undefined || partition === undefined || offset === undefined) throw error
  const at = [{ topic, partition }]
  const [committed] = await patiently('log', () => group.committed(at))
  if (committed !== undefined && committed.offset > offset) {
    throw new MillraceError('FENCED', 'another instance has processed these records, and has the task', {
      topic,
      partition,
      offset,
      cause: error,
    })
  }
  const { outOfRange } = settings
  if (outOfRange === 'fail') throw error
  const [to] = await patiently('log', () =>
    outOfRange === 'latest' ? log.admin.endOffsets(at) : log.admin.startOffsets(at),
  )
  logger.error({ topic, partition, offset, to: to.offset }, `offset out of range: going on at the ${outOfRange}`)
  return to
}
