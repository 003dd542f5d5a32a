import type { WireWriter } from '../../../../src/log/kafka/wire/wire-writer.ts'
import type { ManualClock } from '../../../../src/time.ts'
import { type FakeMember, fakeBroker, type Handler, type Refusal } from './fake-broker.ts'
import { answer, type Commit, finished } from './fake-offsets.ts'

interface ClassicMember extends FakeMember {
  readonly sessionMs: number
  metadata: Buffer
  /** Answers the JoinGroup or SyncGroup that waits. */
  joining?: (error: number) => void
  syncing?: (error: number) => void
}

const answerTo = (error: number) => answer().int16(error)

/** A broker with one group as Kafka's GroupCoordinator has it. */
export const fakeClassicBroker = (clock: ManualClock, { joinGroupVersion = 9 } = {}) =>
  fakeBroker(clock, classicGroup(clock, joinGroupVersion))

function classicGroup(clock: ManualClock, joinGroupVersion: number) {
  const members = new Map<string, ClassicMember>()
  const named = new Set<string>()
  const joinVersions = new Set<number>()
  const state = { phase: 'empty', generation: 0, leader: '', since: 0, rebalanceMs: 0 }
  const assignments = new Map<string, Buffer>()
  let ids = 0

  function rebalance(): void {
    for (const member of members.values()) member.syncing?.(27)
    if (members.size === 0) state.phase = 'empty'
    else if (state.phase !== 'preparing') {
      state.phase = 'preparing'
      state.since = clock.now()
    }
    completeIfAllJoined()
  }

  function completeIfAllJoined(): void {
    if (state.phase !== 'preparing' || [...members.values()].some(({ joining }) => !joining)) return
    state.generation++
    state.phase = 'completing'
    if (!members.has(state.leader)) state.leader = [...members.keys()][0]
    assignments.clear()
    for (const member of members.values()) member.joining?.(0)
  }

  function remove(member: ClassicMember): void {
    members.delete(member.id)
    member.joining?.(25)
    member.syncing?.(25)
    rebalance()
  }

  function tick(): void {
    for (const member of [...members.values()]) {
      const isLate = state.phase === 'preparing' && clock.now() - state.since > state.rebalanceMs
      const isDead = clock.now() - member.aliveAt > member.sessionMs
      if (!member.joining && (isDead || isLate)) remove(member)
    }
  }

  function check(memberId: string, instanceId: string | null): number {
    const holder = [...members.values()].find((member) => instanceId !== null && member.instanceId === instanceId)
    if (holder && holder.id !== memberId) return 82
    return members.has(memberId) ? 0 : 25
  }

  function admitCommit({ memberId, instanceId, epoch }: Commit): number {
    return check(memberId, instanceId) || (epoch !== state.generation ? 22 : state.phase === 'completing' ? 27 : 0)
  }

  const handlers: Record<string, Handler> = {
    JoinGroup(reader, version) {
      joinVersions.add(version)
      reader.compactString()
      const sessionMs = reader.int32()
      state.rebalanceMs = reader.int32()
      let memberId = reader.compactString()
      const instanceId = reader.nullableCompactString()
      reader.compactString()
      const [metadata] = reader.compactArray((r) => {
        r.compactString()
        const bytes = Buffer.from(r.compactBytes()!)
        r.tags()
        return bytes
      })
      const respond = (error: number, skips = false) => {
        const isLeader = state.leader === memberId
        const writer = answerTo(error).int32(error ? -1 : state.generation)
        writer.compactString('consumer').compactString('millrace')
        writer.compactString(error ? '' : state.leader)
        if (version >= 9) writer.boolean(skips)
        const told = error === 0 && isLeader ? [...members.values()] : []
        writer
          .compactString(memberId)
          .compactArray(told, (w, member) =>
            w.compactString(member.id).compactString(member.instanceId).compactBytes(member.metadata).tags(),
          )
        return finished(writer)
      }
      const old = [...members.values()].find((member) => instanceId !== null && member.instanceId === instanceId)
      if (memberId === '' && instanceId === null) {
        memberId = `m${++ids}`
        named.add(memberId)
        return respond(79)
      }
      if (memberId === '') {
        memberId = `m${++ids}`
        if (old) {
          members.delete(old.id)
          old.joining?.(82)
          old.syncing?.(82)
          members.set(memberId, { id: memberId, instanceId, sessionMs, metadata, aliveAt: clock.now() })
          assignments.set(memberId, assignments.get(old.id) ?? Buffer.alloc(0))
          const wasLeader = state.leader === old.id
          if (wasLeader) state.leader = memberId
          if (state.phase === 'stable') return respond(0, wasLeader)
        }
      } else if (old && old.id !== memberId) return respond(82)
      else if (!members.has(memberId) && !named.delete(memberId)) return respond(25)
      const known = members.get(memberId)
      const isSame = known?.metadata.equals(metadata) && state.leader !== memberId
      const member = known ?? { id: memberId, instanceId, sessionMs, metadata, aliveAt: clock.now() }
      members.set(memberId, member)
      member.metadata = metadata
      member.aliveAt = clock.now()
      if (state.phase === 'stable' && isSame) return respond(0)
      return new Promise((resolve) => {
        member.joining = (error) => {
          member.joining = undefined
          member.aliveAt = clock.now()
          resolve(respond(error))
        }
        rebalance()
      })
    },
    SyncGroup(reader) {
      reader.compactString()
      const generation = reader.int32()
      const memberId = reader.compactString()
      const instanceId = reader.nullableCompactString()
      reader.nullableCompactString()
      reader.nullableCompactString()
      const given = reader.compactArray((r) => {
        const entry = [r.compactString(), Buffer.from(r.compactBytes()!)] as const
        r.tags()
        return entry
      })
      const respond = (error: number) =>
        finished(
          answerTo(error)
            .compactString('consumer')
            .compactString('millrace')
            .compactBytes(assignments.get(memberId) ?? Buffer.alloc(0)),
        )
      const error = check(memberId, instanceId) || (generation === state.generation ? 0 : 22)
      if (error) return respond(error)
      if (state.phase === 'preparing') return respond(27)
      if (state.phase === 'stable') return respond(0)
      return new Promise((resolve) => {
        const member = members.get(memberId)!
        member.syncing = (code) => {
          member.syncing = undefined
          member.aliveAt = clock.now()
          resolve(respond(code))
        }
        if (memberId !== state.leader) return
        for (const [id, assignment] of given) assignments.set(id, assignment)
        state.phase = 'stable'
        for (const waiting of members.values()) waiting.syncing?.(0)
      })
    },
    Heartbeat(reader) {
      reader.compactString()
      const generation = reader.int32()
      const memberId = reader.compactString()
      const error = check(memberId, reader.nullableCompactString()) || (generation === state.generation ? 0 : 22)
      const member = members.get(memberId)
      if (!error && member) member.aliveAt = clock.now()
      return finished(answerTo(error || (state.phase === 'preparing' ? 27 : 0)))
    },
    LeaveGroup(reader) {
      reader.compactString()
      const [memberId] = reader.compactArray((r) => {
        const id = r.compactString()
        r.nullableCompactString()
        r.tags()
        return id
      })
      const member = members.get(memberId)
      if (member) remove(member)
      return finished(answerTo(member ? 0 : 25).compactArray([], () => {}))
    },
  }

  const nothing = (writer: WireWriter) => finished(writer.compactArray([], () => {}))
  const refusals: Record<string, Refusal> = {
    JoinGroup(_, version, error) {
      const writer = answerTo(error).int32(-1).compactString(null).compactString(null).compactString('')
      if (version >= 9) writer.boolean(false)
      return nothing(writer.compactString(''))
    },
    SyncGroup: (_, _version, error) =>
      finished(answerTo(error).compactString(null).compactString(null).compactBytes(Buffer.alloc(0))),
    Heartbeat: (_, _version, error) => finished(answerTo(error)),
    LeaveGroup: (_, _version, error) => nothing(answerTo(error)),
  }

  return {
    members,
    state,
    joinVersions,
    handlers,
    refusals,
    speaks: new Map([[11, { min: 0, max: joinGroupVersion }]]),
    admitCommit,
    tick,
    rebalance,
    remove: (memberId: string) => remove(members.get(memberId)!),
  }
}
