import { nextRound } from '../../assignor/assignor.ts'
import type { GroupOptions } from '../../log.ts'
import type { JoinGroupAnswer } from './protocol.ts'
import { decodeSubscription, encodeAssignment } from './subscription.ts'

/** The leader's decision: what every member is to run, encoded for it. */
export function decide(
  members: JoinGroupAnswer['members'],
  options: Pick<GroupOptions, 'reads'>,
): (readonly [memberId: string, assignment: Buffer])[] {
  const candidates = members.map(({ memberId, metadata }) => ({ id: memberId, ...decodeSubscription(metadata) }))
  const known = [...new Set(candidates.flatMap(({ tasks }) => tasks))]
  const { active, moving } = nextRound(candidates)
  return Array.from(active, ([id, tasks]) => {
    const reads = tasks.flatMap((task) => options.reads?.(task) ?? [])
    return [
      id,
      encodeAssignment({ active: tasks, standby: [], warmup: [], known, isMoving: moving.length > 0, reads }),
    ] as const
  })
}
