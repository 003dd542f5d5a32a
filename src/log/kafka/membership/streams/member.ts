import { randomUUID } from 'node:crypto'
import { isRetriable, MillraceError, toError } from '../../../../errors.ts'
import type { Assignment, Stamp } from '../../../log.ts'
import { backoff } from '../../backoff.ts'
import { errorCodes } from '../../wire/error-codes.ts'
import type { Member, MemberOptions } from '../member.ts'
import { isFenced } from '../membership-error.ts'
import { streamsDescribeRequest } from './describe.ts'
import { type Heart, isEqual, noTasks, type Standing, streamsHeart } from './heart.ts'
import { LEAVING, PAUSING, type StreamsHeartbeat, streamsHeartbeatRequest } from './protocol.ts'
import { refusal } from './refusals.ts'
import { configureGroup, heartbeatVersion } from './settings.ts'
import { wireTopology } from './topology.ts'

/** There is one topology in the life of a group: brokers refuse another one, whatever its epoch (Kafka 4.4). */
const TOPOLOGY_EPOCH = 0

export interface StreamsMemberOptions extends MemberOptions {
  readonly rack?: string
  readonly clientTags?: Readonly<Record<string, string>>
}

type In = Extract<Standing, { readonly kind: 'in' }>

/**
 * The life of a member in the streams protocol (KIP-1071): the broker says which tasks it is to run, and the member brings
 * what it runs in line with that. What is taken away is committed and closed, and then the broker is told; only now its epoch
 * moves on, and another member can be given those tasks. The callbacks are awaited here and nowhere else, and so come one at a
 * time; heartbeats go on beside them.
 *
 * The stamp needs no rebalance to be announced: the broker accepts an older epoch for what the member has run since then,
 * and refuses it for what has been taken away.
 */
export function streamsMember(on: StreamsMemberOptions): Member {
  const { coordinator, options, timeouts, clock, random, leaving, onJoined } = on
  const { group, instanceId } = options
  const pause = backoff({ firstMs: 20, maxMs: 2_000, random })
  const left = new Promise<void>((resolve) => leaving.addEventListener('abort', () => resolve()))
  const known = new Set(options.tasks)
  const memberId = randomUUID()
  let version = 0
  let heart: Heart | undefined
  let hasBeenIn = false
  /** What runs now. */
  let held = noTasks

  const warn = (message: string) => options.onWarning?.(message)
  const stampOf = ({ epoch }: In): Stamp => ({
    group,
    memberId,
    ...(instanceId !== undefined && { instanceId }),
    epoch,
  })

  async function prepare(): Promise<void> {
    while (!leaving.aborted) {
      try {
        version = await heartbeatVersion(coordinator, instanceId)
        return await configureGroup(coordinator, group, { ...options, ...timeouts }, warn)
      } catch (error) {
        if (!isRetriable(error)) throw error
      }
      await clock.sleep(pause.next(), leaving)
    }
  }

  function introduction(): Omit<StreamsHeartbeat, 'epoch' | 'owned'> {
    const { rack, clientTags = {} } = on
    const { rebalanceTimeoutMs } = timeouts
    const { processId = memberId } = options
    const topology = { epoch: TOPOLOGY_EPOCH, subtopologies: wireTopology(options) }
    return { group, memberId, instanceId, rack, rebalanceTimeoutMs, topology, processId, clientTags }
  }

  async function oneMembership(): Promise<void> {
    heart = streamsHeart({
      ...timeouts,
      coordinator,
      version,
      introduction: introduction(),
      clock,
      random,
      onUnreleased: takeOver,
      onWarning: warn,
      progress: () => options.progress?.() ?? [],
    })
    let told: In | undefined
    try {
      while (!leaving.aborted) {
        const seen = heart.standing
        if (seen.kind === 'failed') throw seen.error
        if (seen.kind === 'lost') return
        if (seen.kind === 'in') {
          if (told === undefined) enter()
          refuseStrangers(seen)
          const lost = held.active.filter((task) => !seen.tasks.active.includes(task))
          if (lost.length > 0) {
            await revoke(lost, seen, heart)
            heart.own(held)
            continue
          }
          if (!isTold(told, seen)) {
            if (await start(seen)) {
              told = seen
              heart.own(held)
            }
            continue
          }
        }
        await Promise.race([heart.changed(seen), left])
      }
    } finally {
      heart.stop()
      await lose()
    }
  }

  function enter(): void {
    hasBeenIn = true
    pause.reset()
    onJoined()
  }

  /** More partitions than there were when this instance planned: what it would do with them was never decided. */
  function refuseStrangers({ tasks }: In): void {
    const strange = [...tasks.active, ...tasks.standby, ...tasks.warmup].filter((task) => !known.has(task))
    if (strange.length === 0) return
    throw new MillraceError(
      'TOPIC_MISMATCH',
      `the broker gives out tasks that the topology had not: ${strange.join(', ')}`,
      {
        hint: 'an input topic has grown: start the instances again, so that they plan with its partitions',
      },
    )
  }

  async function revoke(tasks: readonly string[], seen: In, membership: Heart): Promise<void> {
    const stamp = stampOf(membership.standing.kind === 'in' ? membership.standing : seen)
    try {
      if (!leaving.aborted) await options.onRebalancing?.()
      // It may have taken long, and then others may have the tasks by now: they are lost, and not to be committed.
      if (leaving.aborted || membership.standing.kind !== 'in') return
      await options.onRevoked(tasks, stamp)
      held = { ...held, active: held.active.filter((task) => !tasks.includes(task)) }
    } catch {
      await lose()
    }
  }

  /** Every epoch is told, also where nothing changes: commits carry it from then on. */
  function isTold(told: In | undefined, seen: In): boolean {
    if (told === undefined || told.epoch !== seen.epoch) return false
    if (!isEqual(held, seen.tasks)) return false
    return isAwaiting(told) === isAwaiting(seen)
  }

  async function start(seen: In): Promise<boolean> {
    if (leaving.aborted) return false
    held = seen.tasks
    try {
      await options.onAssigned(assignmentOf(seen))
      return true
    } catch (error) {
      await lose()
      if (!isRetriable(error) && !isFenced(error)) throw error
    }
    await clock.sleep(pause.next(), leaving)
    return false
  }

  function assignmentOf(seen: In): Assignment {
    return { ...seen.tasks, stamp: stampOf(seen), isMoving: isAwaiting(seen) }
  }

  async function lose(): Promise<void> {
    const { active } = held
    held = noTasks
    if (active.length > 0 && !leaving.aborted) await options.onLost(active)
  }

  /**
   * A process that has just been started takes the place of the one that has its name, which has most likely crashed: as if
   * that one had left for a restart. Who was in already, and finds its place taken, does not take it back.
   */
  async function takeOver(): Promise<void> {
    if (hasBeenIn) throw refusal(errorCodes.UNRELEASED_INSTANCE_ID, null, group, instanceId)
    const { members } = await coordinator.call(streamsDescribeRequest(group), { lane: 'membership' })
    const holder = members.find((member) => member.instanceId === instanceId)
    if (holder) await part(holder.memberId, PAUSING)
  }

  async function part(who: string, epoch: number): Promise<void> {
    const request = streamsHeartbeatRequest(version, { group, memberId: who, epoch, instanceId })
    await coordinator.call(request, { lane: 'membership' })
  }

  return {
    reconsider: () => heart?.reportProgress(),
    async live() {
      try {
        await prepare()
        for (; !leaving.aborted; await clock.sleep(pause.next(), leaving)) await oneMembership()
      } catch (error) {
        if (!leaving.aborted) throw toError(error)
      }
    },
    async part(isForGood) {
      if (heart === undefined) return
      heart.stop()
      // One that is under way may be the one that joins.
      await heart.idle()
      await part(memberId, isForGood ? LEAVING : PAUSING)
    },
  }
}

/** Nothing is to run here yet, and something may be on its way. */
const isAwaiting = ({ tasks, isSettled }: In) => tasks.active.length === 0 && !isSettled
