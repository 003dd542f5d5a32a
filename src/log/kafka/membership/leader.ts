import type { GroupOptions } from '../../log.ts'
import { assignTasks } from './assignor.ts'
import type { JoinGroupAnswer } from './protocol.ts'
import { decodeSubscription, encodeAssignment } from './subscription.ts'

/** The leader's decision: what every member is to run, encoded for it. */
export function decide(
  members: JoinGroupAnswer['members'],
  options: Pick<GroupOptions, 'reads'>,
): (readonly [memberId: string, assignment: Buffer])[] {
  const candidates = members.map(({ memberId, metadata }) => ({ id: memberId, ...decodeSubscription(metadata) }))
  const known = [...new Set(candidates.flatMap(({ tasks }) => tasks))]
  return [...assignTasks(candidates)].map(([id, active]) => [
    id,
    encodeAssignment({ active, standby: [], known, reads: active.flatMap((task) => options.reads?.(task) ?? []) }),
  ])
}
