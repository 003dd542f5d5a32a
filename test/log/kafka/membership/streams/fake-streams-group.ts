import type { WireWriter } from '../../../../../src/log/kafka/wire/wire-writer.ts'
import type { ManualClock } from '../../../../../src/time.ts'
import { type FakeMember, fakeBroker, type Handler, type Refusal } from '../fake-broker.ts'
import { answer, type Commit, finished } from '../fake-offsets.ts'
import { fakeConfig } from './fake-config.ts'
import { type Beat, type HeartbeatAnswer, heartbeatAnswer, readBeat } from './heartbeat-bytes.ts'

interface StreamsMember extends FakeMember {
  readonly rebalanceTimeoutMs: number
  epoch: number
  /** As the broker has told it. */
  tasks: string[]
  /** Taken away at that time, and not acknowledged yet. */
  pending: string[]
  pendingSince: number
}

/** The key of StreamsGroupHeartbeat. */
const HEARTBEAT = 88
const ALL = ['0_0', '0_1', '0_2', '0_3']

/** A broker that spreads four tasks of one group as Kafka's GroupMetadataManager and CurrentAssignmentBuilder do. */
export const fakeStreamsBroker = (clock: ManualClock) => fakeBroker(clock, streamsGroup(clock))

function streamsGroup(clock: ManualClock) {
  const members = new Map<string, StreamsMember>()
  const beats: Beat[] = []
  const { config, features, refusal: configRefusal, ...ofConfig } = fakeConfig()
  const speaks = new Map([[HEARTBEAT, { min: 0, max: 1 }]])
  const state = {
    epoch: 0,
    statuses: [] as { code: number; detail: string }[],
    offsetIntervalMs: 60_000,
  }
  let target = new Map<string, string[]>()

  /** As evenly as possible, and as it was where possible. */
  function rebalance(): void {
    state.epoch++
    const present = [...members.keys()]
    const [share, rest] = [Math.floor(ALL.length / present.length), ALL.length % present.length]
    const room = new Map(present.map((id, i) => [id, share + (i < rest ? 1 : 0)]))
    const next = new Map(present.map((id) => [id, (target.get(id) ?? []).slice(0, room.get(id))]))
    const given = new Set([...next.values()].flat())
    for (const task of ALL.filter((id) => !given.has(id))) {
      const [, tasks] = [...next].find(([id, list]) => list.length < room.get(id)!) ?? []
      tasks?.push(task)
    }
    target = next
  }

  function remove(member: StreamsMember): void {
    members.delete(member.id)
    rebalance()
  }

  function tick(): void {
    const session = Number(config.get('streams.session.timeout.ms'))
    for (const member of [...members.values()]) {
      const isDead = clock.now() - member.aliveAt > session
      const isLate = member.pending.length > 0 && clock.now() - member.pendingSince > member.rebalanceTimeoutMs
      if (isDead || isLate) remove(member)
    }
  }

  /** What the member is told, one step of its reconciliation further on. */
  function reconcile(member: StreamsMember, owned: readonly string[] | undefined): void {
    if (member.pending.length > 0 && owned && !member.pending.some((task) => owned.includes(task))) member.pending = []
    if (member.pending.length > 0) return
    const wanted = target.get(member.id) ?? []
    const lost = member.tasks.filter((task) => !wanted.includes(task))
    if (lost.length > 0) {
      member.tasks = member.tasks.filter((task) => wanted.includes(task))
      member.pending = lost
      member.pendingSince = clock.now()
      return
    }
    const others = [...members.values()].filter((other) => other !== member)
    const taken = new Set(others.flatMap(({ tasks, pending }) => [...tasks, ...pending]))
    member.tasks = wanted.filter((task) => !taken.has(task))
    member.epoch = state.epoch
  }

  /** Joins, leaves, and refuses whoever is not who it says. */
  function admit(beat: Beat): { error: number; message?: string } {
    const { memberId, epoch, instanceId, rebalanceTimeoutMs } = beat
    const holder = [...members.values()].find((member) => instanceId !== null && member.instanceId === instanceId)
    if (epoch === 0) {
      if (beat.topology === undefined || beat.active === undefined || beat.active.length > 0)
        return { error: 42, message: 'bad join' }
      if (holder && holder.id !== memberId && holder.epoch !== -2) return { error: 111 }
      const old = holder ?? members.get(memberId)
      if (old) members.delete(old.id)
      const fresh = { epoch: 0, tasks: [], pending: [], pendingSince: 0, aliveAt: clock.now() }
      members.set(memberId, { id: memberId, instanceId, rebalanceTimeoutMs, ...fresh })
      if (old) {
        target.set(memberId, target.get(old.id) ?? [])
        if (old.id !== memberId) target.delete(old.id)
        state.epoch++
      } else rebalance()
      return { error: 0 }
    }
    if (holder && holder.id !== memberId) return { error: 82 }
    const member = members.get(memberId)
    if (!member) return { error: 25 }
    if (epoch === -2) member.epoch = -2
    else if (epoch === -1) remove(member)
    else if (epoch !== member.epoch) {
      const isPrevious = epoch < member.epoch && beat.active?.every((task) => member.tasks.includes(task))
      if (!isPrevious) return { error: 110 }
    }
    return { error: 0 }
  }

  /** Before v9 no commit carries the epoch of a member; an older one is good for what the member has had since then. */
  function admitCommit({ memberId, epoch, version }: Commit): number {
    const member = members.get(memberId)
    return version < 9 ? 35 : !member ? 25 : epoch > member.epoch ? 113 : 0
  }

  function respond(version: number, said: Pick<HeartbeatAnswer, 'error' | 'message' | 'epoch' | 'tasks'>): Buffer {
    const { statuses, offsetIntervalMs } = state
    const heartbeatIntervalMs = Number(config.get('streams.heartbeat.interval.ms'))
    const hasNoTasks = said.tasks !== undefined && statuses.some(({ code }) => code >= 1 && code <= 3)
    const tasks = hasNoTasks ? [] : said.tasks
    return heartbeatAnswer(version, { ...said, tasks, statuses, offsetIntervalMs, heartbeatIntervalMs })
  }

  const handlers: Record<string, Handler> = {
    StreamsGroupDescribe() {
      const lists = (w: WireWriter) => {
        for (let list = 0; list < 3; list++) w.compactArray([], () => {})
        w.tags()
      }
      const writer = answer().compactArray(['group'], (w, group) => {
        w.int16(0).compactString(null).compactString(group).compactString('Stable').int32(1).int32(1).int8(-1)
        w.compactArray([...members.values()], (m, member) => {
          m.compactString(member.id).int32(member.epoch).compactString(member.instanceId).compactString(null)
          m.compactString('c').compactString('h').int32(0).compactString('p').int8(-1)
          for (let list = 0; list < 3; list++) m.compactArray([], () => {})
          lists(m)
          lists(m)
          m.boolean(false).tags()
        })
        w.int32(0).tags()
      })
      return finished(writer)
    },
    StreamsGroupHeartbeat(reader, version) {
      const beat = readBeat(reader)
      beats.push(beat)
      // As Kafka 4.2 and 4.3 do, which know no other version.
      const isUnknown = version === 0 && beat.offsets !== undefined
      const { error, message } = isUnknown ? { error: 42, message: 'TaskOffsets are not supported yet.' } : admit(beat)
      if (error !== 0) return respond(version, { error, message })
      const member = members.get(beat.memberId)
      if (!member || beat.epoch < 0) return respond(version, { error, epoch: beat.epoch })
      member.aliveAt = clock.now()
      const before = JSON.stringify([member.epoch, member.tasks])
      reconcile(member, beat.active)
      const isChanged = beat.active !== undefined || before !== JSON.stringify([member.epoch, member.tasks])
      return respond(version, { error, epoch: member.epoch, tasks: isChanged ? member.tasks : undefined })
    },
  }

  const refusals: Record<string, Refusal> = {
    StreamsGroupHeartbeat: (_, version, error, message) => respond(version, { error, message }),
  }

  return {
    members,
    beats,
    state,
    config,
    configRefusal,
    features,
    speaks,
    handlers: { ...handlers, ...ofConfig.handlers },
    refusals,
    admitCommit,
    tick,
    rebalance,
    remove: (memberId: string) => remove(members.get(memberId)!),
  }
}
