import { MillraceError, toError } from '../../errors.ts'
import { type Clock, WAIT_ENDED } from '../../time.ts'
import { nextRound, type Round } from '../assignor/round.ts'
import { readsOf } from '../assignor/versions.ts'
import type { GroupOptions, Stamp } from '../log.ts'

/** One membership; its id changes when it expires and joins again. */
export interface Member {
  id: string
  readonly options: GroupOptions
  tasks: readonly string[]
  /** It has been given tasks, or none, under its id of now. */
  isIn: boolean
  left: boolean
  /** Ends when the callback that was called last has. */
  calls: Promise<void>
  /** Aborted when this membership ends: nobody waits for what the member does about it. */
  gone: AbortController
}

const REBALANCE_TIMEOUT = 60_000

/**
 * The members of one group and their tasks. Cooperative, as on Kafka: when someone comes or goes a new epoch begins, in
 * which each member keeps what it is to keep and gives up the rest; what has been given up is dealt out in the epoch after.
 */
export class Coordinator {
  private readonly group: string
  private readonly clock: Clock
  private readonly members = new Map<string, Member>()
  private epoch = 0
  private joined = 0
  private due = false
  private running = false

  constructor(group: string, clock: Clock) {
    this.group = group
    this.clock = clock
  }

  join(options: GroupOptions): Member {
    const member: Member = {
      id: '',
      options,
      tasks: [],
      isIn: false,
      left: false,
      calls: Promise.resolve(),
      gone: new AbortController(),
    }
    this.admit(member)
    return member
  }

  leave(member: Member): void {
    member.left = true
    member.tasks = []
    member.gone.abort(WAIT_ENDED)
    if (this.members.delete(member.id)) this.rebalanceSoon()
  }

  /** Deals out the tasks again although nobody comes or goes. */
  reconsider(): void {
    this.rebalanceSoon()
  }

  /** Drops all members, or those of one instance, as if they had not been heard of for too long. */
  expire(instanceId?: string): void {
    const all = [...this.members.values()]
    this.drop(instanceId === undefined ? all : all.filter(({ options }) => options.instanceId === instanceId))
  }

  /** They learn of it, and join again. */
  private drop(members: readonly Member[]): void {
    for (const member of members) {
      if (!this.members.delete(member.id)) continue
      const { tasks } = member
      member.tasks = []
      member.gone.abort(WAIT_ENDED)
      void this.call(member, () => member.options.onLost(tasks)).then(() => {
        if (!member.left) this.admit(member)
      })
    }
    this.rebalanceSoon()
  }

  /** Throws `FENCED` unless the stamp is one of a member of now. Without any member, the stamp of nobody is valid. */
  check({ memberId, epoch }: Stamp): void {
    if (this.members.size === 0 && memberId === '' && epoch === -1) return
    if (this.members.has(memberId) && epoch === this.epoch) return
    throw new MillraceError(
      'FENCED',
      `member "${memberId}" with epoch ${epoch} is no longer a member of group "${this.group}" (epoch ${this.epoch})`,
      { hint: 'drop the tasks without committing; what they were doing is done again by their new owner' },
    )
  }

  private admit(member: Member): void {
    member.id = `${member.options.instanceId ?? 'member'}-${++this.joined}`
    member.gone = new AbortController()
    member.isIn = false
    this.members.set(member.id, member)
    this.rebalanceSoon()
  }

  private rebalanceSoon(): void {
    this.due = true
    if (!this.running) void this.rebalances()
  }

  private async rebalances(): Promise<void> {
    this.running = true
    while (this.due) {
      this.due = false
      await this.rebalance()
    }
    this.running = false
  }

  private async rebalance(): Promise<void> {
    const told = [...this.members.values()].filter(({ isIn }) => isIn)
    await Promise.all(told.map((member) => this.answer(member, async () => member.options.onRebalancing?.())))
    if (this.due) return
    this.epoch++
    const members = [...this.members.values()]
    const round = nextRound(
      // All are in one process, and none outlives another: each counts as one of its own.
      members.map(({ id, tasks, options }) => ({
        id,
        tasks: options.tasks,
        reads: readsOf(options),
        owned: tasks,
        generation: this.epoch,
        stateful: options.stateful,
        progress: options.progress?.(),
      })),
      members[0]?.options,
    )
    await Promise.all(members.map((member) => this.enter(member, round)))
    if (round.moving.length > 0) this.due = true
  }

  /** A member's part of a new epoch. */
  private async enter(member: Member, { shares, moving, missingStandbys }: Round): Promise<void> {
    const { active, standby, warmup } = shares.get(member.id)!
    const isMoving = moving.length > 0
    const { group, instanceId, onAssigned, onRevoked } = member.options
    const stamp = { group, memberId: member.id, epoch: this.epoch, ...(instanceId && { instanceId }) }
    const lost = member.tasks.filter((task) => !active.includes(task))
    if (lost.length > 0 && !(await this.answer(member, () => onRevoked(lost, stamp)))) return
    if (member.gone.signal.aborted) return
    member.tasks = active
    member.isIn = true
    const assignment = { active, standby, warmup, missingStandbys, stamp, isMoving }
    const assigned = this.call(member, () => onAssigned(assignment), stamp.memberId)
    await Promise.race([assigned, ended(member.gone.signal)])
  }

  /** Whether a member has done what it was asked to. Who takes longer than the rebalance time-out is dropped. */
  private async answer(member: Member, callback: () => Promise<void>): Promise<boolean> {
    const done = new AbortController()
    const { signal: gone } = member.gone
    const answered = this.call(member, callback, member.id).then(() => true)
    const late = this.clock
      .sleep(member.options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT, done.signal)
      .then(() => done.signal.aborted)
    const inTime = await Promise.race([answered, late, ended(gone)])
    done.abort(WAIT_ENDED)
    if (gone.aborted) return false
    if (!inTime) this.drop([member])
    return inTime
  }

  /** Calls a member back after its earlier calls, unless it has left, or lost the identity that the call is for. */
  private call(member: Member, callback: () => Promise<void>, id?: string): Promise<void> {
    member.calls = member.calls.then(async () => {
      if (member.left || (id !== undefined && member.id !== id)) return
      if (id !== undefined && !this.members.has(id)) return
      try {
        await callback()
      } catch (error) {
        member.options.onError(toError(error))
      }
    })
    return member.calls
  }
}

function ended(signal: AbortSignal): Promise<true> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(true)
    else signal.addEventListener('abort', () => resolve(true), { once: true })
  })
}
