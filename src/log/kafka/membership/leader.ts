import { nextRound } from '../../assignor/round.ts'
import type { GroupOptions } from '../../log.ts'
import type { JoinGroupAnswer } from './protocol.ts'
import { decodeSubscription, encodeAssignment } from './subscription.ts'

/** The leader's decision: what every member is to run, encoded for it. How many standbys there are is its own setting. */
export function decide(
  members: JoinGroupAnswer['members'],
  options: Pick<GroupOptions, 'reads' | 'standbys' | 'maxWarmups' | 'acceptableLag'>,
): (readonly [memberId: string, assignment: Buffer])[] {
  const candidates = members.map(({ memberId, metadata }) => ({ id: memberId, ...decodeSubscription(metadata) }))
  const known = [...new Set(candidates.flatMap(({ tasks }) => tasks))]
  const { shares, moving, missingStandbys } = nextRound(candidates, options)
  return Array.from(shares, ([id, share]) => {
    const reads = share.active.flatMap((task) => options.reads?.(task) ?? [])
    return [id, encodeAssignment({ ...share, missingStandbys, known, isMoving: moving.length > 0, reads })] as const
  })
}
