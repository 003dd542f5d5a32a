import { MillraceError } from '../../../../src/errors.ts'
import type { GroupTransport } from '../../../../src/log/kafka/membership/group-coordinator.ts'
import { WireReader } from '../../../../src/log/kafka/wire/wire-reader.ts'
import { WireWriter } from '../../../../src/log/kafka/wire/wire-writer.ts'
import type { ManualClock } from '../../../../src/time.ts'

/** What happens to a request instead of an answer: an error code, a broken connection, or nothing, for ever. */
export type Fault = number | 'drop' | 'hang'

interface FakeMember {
  readonly id: string
  readonly instanceId: string | null
  readonly sessionMs: number
  metadata: Buffer
  aliveAt: number
  /** Answers the JoinGroup or SyncGroup that waits. */
  joining?: (error: number) => void
  syncing?: (error: number) => void
}

const answerTo = (error: number) => new WireWriter().tags().int32(0).int16(error)
const finished = (writer: WireWriter) => writer.tags().finish()

/**
 * One broker that coordinates one group as Kafka's GroupCoordinator does, on the clock of the test, written against the
 * protocol's bytes. Only what members see is modelled.
 */
export function fakeCluster(clock: ManualClock, { joinGroupVersion = 9 } = {}) {
  const members = new Map<string, FakeMember>()
  const named = new Set<string>()
  const faults: { apiName: string; fault: Fault; times: number }[] = []
  const requests: string[] = []
  const joinVersions = new Set<number>()
  const offsets = new Map<string, { offset: number; metadata: string }>()
  const undecided = new Set<string>()
  const open = new Set<(error: Error) => void>()
  const state = { phase: 'empty', generation: 0, leader: '', since: 0, isUp: true, lookups: 0, rebalanceMs: 0 }
  const assignments = new Map<string, Buffer>()
  let ids = 0

  const unavailable = () => new MillraceError('UNAVAILABLE', 'connection lost', { retriable: true })

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

  function remove(member: FakeMember): void {
    members.delete(member.id)
    member.joining?.(25)
    member.syncing?.(25)
    rebalance()
  }

  /** Ends sessions and rebalances whose time is over. */
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

  type Handler = (reader: WireReader, version: number) => Buffer | Promise<Buffer>
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
    OffsetCommit(reader) {
      reader.compactString()
      const generation = reader.int32()
      const error = check(reader.compactString(), reader.nullableCompactString())
      const code = error || (generation !== state.generation ? 22 : state.phase === 'completing' ? 27 : 0)
      const topics = reader.compactArray((r) => {
        const topic = r.compactString()
        const partitions = r.compactArray((p) => {
          const partition = p.int32()
          const offset = p.int64()
          p.int32()
          const metadata = p.nullableCompactString() ?? ''
          p.tags()
          if (!code) offsets.set(`${topic}/${partition}`, { offset, metadata })
          return partition
        })
        r.tags()
        return { topic, partitions }
      })
      const writer = new WireWriter().tags().int32(0)
      writer.compactArray(topics, (w, { topic, partitions }) =>
        w
          .compactString(topic)
          .compactArray(partitions, (p, partition) => p.int32(partition).int16(code).tags())
          .tags(),
      )
      return finished(writer)
    },
    OffsetFetch(reader) {
      reader.compactString()
      const topics = reader.compactArray((r) => {
        const entry = { topic: r.compactString(), partitions: r.compactArray((p) => p.int32()) }
        r.tags()
        return entry
      })
      const requireStable = reader.boolean()
      const writer = new WireWriter().tags().int32(0)
      writer.compactArray(topics, (w, { topic, partitions }) =>
        w
          .compactString(topic)
          .compactArray(partitions, (p, partition) => {
            const isOpen = requireStable && undecided.has(`${topic}/${partition}`)
            const found = isOpen ? undefined : offsets.get(`${topic}/${partition}`)
            p.int32(partition)
              .int64(found?.offset ?? -1)
              .int32(-1)
            p.compactString(found?.metadata ?? '')
              .int16(isOpen ? 88 : 0)
              .tags()
          })
          .tags(),
      )
      return finished(writer.int16(0))
    },
  }

  function connect(): GroupTransport {
    const mine = new Set<(error: Error) => void>()
    let isClosed = false
    const reach = () => {
      if (isClosed) throw new MillraceError('CLOSED', 'closed')
      if (!state.isUp) throw unavailable()
    }
    return {
      async connect() {
        reach()
      },
      async close() {
        isClosed = true
        for (const reject of mine) reject(new MillraceError('CLOSED', 'closed'))
      },
      async coordinator() {
        reach()
        state.lookups++
        return { nodeId: 1, host: 'fake', port: 9092 }
      },
      async versions() {
        reach()
        return new Map([[11, { min: 0, max: joinGroupVersion }]])
      },
      async send(_broker, { apiName, apiVersion, body, timeoutMs }) {
        reach()
        requests.push(apiName)
        const script = faults.find((entry) => entry.apiName === apiName && entry.times-- > 0)
        if (script?.fault === 'drop') throw unavailable()
        const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
        mine.add(reject)
        open.add(reject)
        if (timeoutMs !== undefined) void clock.sleep(timeoutMs).then(() => reject(unavailable()))
        const reader = new WireReader(body)
        reader.tags()
        if (script === undefined) resolve(handlers[apiName](reader, apiVersion))
        else if (typeof script.fault === 'number') resolve(refusal(apiName, script.fault, reader))
        return promise
      },
    }
  }

  /** An answer that says only this, at the place where the api has its error code. */
  function refusal(apiName: string, error: number, reader: WireReader): Buffer {
    if (apiName === 'JoinGroup') {
      const writer = answerTo(error).int32(-1).compactString(null).compactString(null).compactString('')
      if (joinGroupVersion >= 9) writer.boolean(false)
      return finished(writer.compactString('').compactArray([], () => {}))
    }
    if (apiName === 'SyncGroup')
      return finished(answerTo(error).compactString(null).compactString(null).compactBytes(Buffer.alloc(0)))
    if (apiName === 'LeaveGroup') return finished(answerTo(error).compactArray([], () => {}))
    if (apiName === 'OffsetFetch')
      return finished(
        new WireWriter()
          .tags()
          .int32(0)
          .compactArray([], () => {})
          .int16(error),
      )
    if (apiName === 'OffsetCommit') {
      reader.compactString()
      const writer = new WireWriter().tags().int32(0)
      return finished(
        writer.compactArray(['t'], (w, topic) =>
          w
            .compactString(topic)
            .compactArray([0], (p, partition) => p.int32(partition).int16(error).tags())
            .tags(),
        ),
      )
    }
    return finished(answerTo(error))
  }

  return {
    state,
    members,
    requests,
    joinVersions,
    offsets,
    undecided,
    connect,
    tick,
    remove: (id: string) => remove(members.get(id)!),
    fail(apiName: string, fault: Fault, times = 1) {
      faults.push({ apiName, fault, times })
    },
    /** Breaks every connection; requests under way fail. */
    goDown() {
      state.isUp = false
      for (const reject of open) reject(unavailable())
      open.clear()
    },
    comeUp() {
      state.isUp = true
    },
    /** Lets time pass until the condition holds. */
    async until(what: string, condition: () => boolean, limitMs = 120_000) {
      for (const start = clock.now(); ; clock.advance(10)) {
        for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
        tick()
        if (condition()) return
        if (clock.now() - start > limitMs)
          throw new Error(`not within ${limitMs} ms: ${what}; ${JSON.stringify(state)}`)
      }
    },
    async pass(ms: number) {
      const end = clock.now() + ms
      await this.until(`${ms} ms pass`, () => clock.now() >= end)
    },
  }
}
