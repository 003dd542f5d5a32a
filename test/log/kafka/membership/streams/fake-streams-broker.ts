import { MillraceError } from '../../../../../src/errors.ts'
import type { GroupTransport } from '../../../../../src/log/kafka/membership/group-coordinator.ts'
import { WireReader } from '../../../../../src/log/kafka/wire/wire-reader.ts'
import { WireWriter } from '../../../../../src/log/kafka/wire/wire-writer.ts'
import type { ManualClock } from '../../../../../src/time.ts'

/** What happens to a request instead of an answer: an error code, a broken connection before or after it is carried out, or nothing. */
export type Fault = number | 'drop' | 'lose the answer' | 'hang'

interface FakeMember {
  readonly id: string
  readonly instanceId: string | null
  epoch: number
  /** As the broker has told it. */
  tasks: string[]
  /** Taken away, and not acknowledged yet. */
  pending: string[]
  aliveAt: number
}

interface Beat {
  readonly memberId: string
  readonly epoch: number
  readonly instanceId: string | null
  readonly rack: string | null
  readonly rebalanceTimeoutMs: number
  readonly topology: readonly { readonly id: string; readonly sources: readonly string[] }[] | undefined
  readonly active: readonly string[] | undefined
  readonly processId: string | null
  readonly offsets: readonly string[] | undefined
}

type Handler = (reader: WireReader, version: number) => Buffer
const finished = (writer: WireWriter) => writer.tags().finish()
const answer = () => new WireWriter().tags().int32(0)
const topicName = (r: WireReader) => r.compactString()
const pair = (r: WireReader) => {
  const both = [r.compactString(), r.compactString()] as const
  r.tags()
  return both
}

/**
 * One broker that spreads the tasks '0_0' … of one group as Kafka's GroupMetadataManager and CurrentAssignmentBuilder do, on
 * the clock of the test, written against the protocol's bytes. Only what members see is modelled.
 */
export function fakeStreamsBroker(clock: ManualClock, taskCount = 4) {
  const members = new Map<string, FakeMember>()
  const beats: Beat[] = []
  const faults: { apiName: string; fault: Fault; message: string; times: number }[] = []
  const requests: string[] = []
  const open = new Set<(error: Error) => void>()
  const config = new Map([
    ['streams.session.timeout.ms', '45000'],
    ['streams.heartbeat.interval.ms', '5000'],
    ['streams.num.standby.replicas', '0'],
  ])
  const features = new Map([['streams.version', 1]])
  const speaks = new Map([[88, { min: 0, max: 1 }]])
  const state = {
    isUp: true,
    epoch: 0,
    lookups: 0,
    statuses: [] as { code: number; detail: string }[],
    offsetIntervalMs: 60_000,
    /** Called while a request is on its way. */
    onRequest: undefined as (() => void) | undefined,
    /** Refuses and denies changes of the configuration with this code. */
    configError: 0,
  }
  const all = Array.from({ length: taskCount }, (_, partition) => `0_${partition}`)
  let target = new Map<string, string[]>()
  const unavailable = () => new MillraceError('UNAVAILABLE', 'connection lost', { retriable: true })

  /** As evenly as possible, and as it was where possible. */
  function rebalance(): void {
    state.epoch++
    const present = [...members.values()]
    const most = Math.ceil(all.length / Math.max(1, present.length))
    const next = new Map(present.map(({ id }) => [id, (target.get(id) ?? []).slice(0, most)]))
    const given = new Set([...next.values()].flat())
    for (const task of all.filter((id) => !given.has(id))) {
      const [least] = [...next.values()].sort((a, b) => a.length - b.length)
      least?.push(task)
    }
    target = next
  }

  function remove(member: FakeMember): void {
    members.delete(member.id)
    rebalance()
  }

  function tick(): void {
    const session = Number(config.get('streams.session.timeout.ms'))
    for (const member of [...members.values()]) if (clock.now() - member.aliveAt > session) remove(member)
  }

  /** What the member is told, one step of its reconciliation further on. */
  function reconcile(member: FakeMember, owned: readonly string[] | undefined): void {
    if (member.pending.length > 0 && owned && !member.pending.some((task) => owned.includes(task))) member.pending = []
    if (member.pending.length > 0) return
    const wanted = target.get(member.id) ?? []
    const lost = member.tasks.filter((task) => !wanted.includes(task))
    if (lost.length > 0) {
      member.tasks = member.tasks.filter((task) => wanted.includes(task))
      member.pending = lost
      return
    }
    const others = [...members.values()].filter((other) => other !== member)
    const taken = new Set(others.flatMap(({ tasks, pending }) => [...tasks, ...pending]))
    member.tasks = wanted.filter((task) => !taken.has(task))
    member.epoch = state.epoch
  }

  function readBeat(reader: WireReader): Beat {
    reader.compactString()
    const [memberId, epoch] = [reader.compactString(), reader.int32()]
    reader.int32() // endpoint epoch
    const [instanceId, rack] = [reader.nullableCompactString(), reader.nullableCompactString()]
    const rebalanceTimeoutMs = reader.int32()
    const topology = reader.int8() < 0 ? undefined : readTopology(reader)
    const [active] = [readTasks(reader), readTasks(reader), readTasks(reader)]
    const processId = reader.nullableCompactString()
    reader.int8() // no endpoint
    reader.compactArray(pair)
    const [offsets] = [readOffsets(reader), readOffsets(reader)]
    return { memberId, epoch, instanceId, rack, rebalanceTimeoutMs, topology, active, processId, offsets }
  }

  const handlers: Record<string, Handler> = {
    ApiVersions() {
      const tag = new WireWriter().compactArray([...features], (w, [name, level]) =>
        w.compactString(name).int16(level).int16(level).tags(),
      )
      const bytes = tag.finish()
      return new WireWriter()
        .int16(0)
        .compactArray([], () => {})
        .int32(0)
        .uvarint(1)
        .uvarint(2)
        .uvarint(bytes.length)
        .raw(bytes)
        .finish()
    },
    DescribeConfigs(reader) {
      const [names] = reader.compactArray((r) => {
        r.int8()
        r.compactString()
        const keys = r.compactArray(topicName)
        r.tags()
        return keys
      })
      const found = names.flatMap((name) => (config.has(name) ? [[name, config.get(name)!] as const] : []))
      const writer = answer().compactArray(['group'], (w, group) =>
        w
          .int16(0)
          .compactString(null)
          .int8(32)
          .compactString(group)
          .compactArray(found, (c, [name, value]) =>
            c
              .compactString(name)
              .compactString(value)
              .boolean(false)
              .int8(5)
              .boolean(false)
              .compactArray([], () => {})
              .int8(3)
              .compactString(null)
              .tags(),
          )
          .tags(),
      )
      return finished(writer)
    },
    IncrementalAlterConfigs(reader) {
      const changes = reader.compactArray((r) => {
        r.int8()
        r.compactString()
        const entries = r.compactArray((c) => {
          const name = c.compactString()
          c.int8()
          const value = c.compactString()
          c.tags()
          return [name, value] as const
        })
        r.tags()
        return entries
      })
      if (state.configError === 0) for (const [name, value] of changes.flat()) config.set(name, value)
      const writer = answer().compactArray(['group'], (w, group) =>
        w
          .int16(state.configError)
          .compactString(state.configError ? 'no' : null)
          .int8(32)
          .compactString(group)
          .tags(),
      )
      return finished(writer)
    },
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
      if (error !== 0) return heartbeatAnswer(version, { error, message })
      const member = members.get(beat.memberId)
      if (!member || beat.epoch < 0) return heartbeatAnswer(version, { epoch: beat.epoch })
      member.aliveAt = clock.now()
      const before = JSON.stringify([member.epoch, member.tasks])
      reconcile(member, beat.active)
      const isChanged = beat.active !== undefined || before !== JSON.stringify([member.epoch, member.tasks])
      return heartbeatAnswer(version, { epoch: member.epoch, tasks: isChanged ? member.tasks : undefined })
    },
    OffsetCommit(reader, version) {
      reader.compactString()
      const epoch = reader.int32()
      const member = members.get(reader.compactString())
      const code = version < 9 ? 35 : !member ? 25 : epoch > member.epoch ? 113 : 0
      const writer = answer().compactArray(['t'], (w, topic) =>
        w
          .compactString(topic)
          .compactArray([0], (p, partition) => p.int32(partition).int16(code).tags())
          .tags(),
      )
      return finished(writer)
    },
  }

  /** Joins, leaves, and refuses whoever is not who it says. */
  function admit(beat: Beat): { error: number; message: string } {
    const { memberId, epoch, instanceId } = beat
    const refuse = (error: number, message = '') => ({ error, message })
    const holder = [...members.values()].find((member) => instanceId !== null && member.instanceId === instanceId)
    if (epoch === 0) {
      if (beat.topology === undefined || beat.active === undefined || beat.active.length > 0)
        return refuse(42, 'bad join')
      if (holder && holder.id !== memberId && holder.epoch !== -2) return refuse(111)
      const old = holder ?? members.get(memberId)
      if (old) members.delete(old.id)
      members.set(memberId, {
        id: memberId,
        instanceId,
        epoch: 0,
        tasks: [],
        pending: [],
        aliveAt: clock.now(),
      })
      if (old) {
        target.set(memberId, target.get(old.id) ?? [])
        if (old.id !== memberId) target.delete(old.id)
        state.epoch++
      } else rebalance()
      return refuse(0)
    }
    if (holder && holder.id !== memberId) return refuse(82)
    const member = members.get(memberId)
    if (!member) return refuse(25)
    if (epoch === -2) member.epoch = -2
    else if (epoch === -1) remove(member)
    else if (epoch !== member.epoch) {
      const isPrevious = epoch < member.epoch && beat.active?.every((task) => member.tasks.includes(task))
      if (!isPrevious) return refuse(110)
    }
    return refuse(0)
  }

  function heartbeatAnswer(
    version: number,
    { error = 0, message, epoch = 0, tasks }: { error?: number; message?: string; epoch?: number; tasks?: string[] },
  ): Buffer {
    const writer = answer()
      .int16(error)
      .compactString(message ?? null)
      .compactString('')
      .int32(epoch)
      .int32(Number(config.get('streams.heartbeat.interval.ms')))
    if (version === 0) writer.int32(10_000)
    writer.int32(state.offsetIntervalMs)
    if (version >= 1) writer.int64(10_000)
    writer.compactArray(state.statuses, (w, { code, detail }) => w.int8(code).compactString(detail).tags())
    const shown = state.statuses.some(({ code }) => code >= 1 && code <= 3) ? [] : tasks
    const ids = (w: WireWriter, list: string[]) =>
      w
        .compactString('0')
        .compactArray(list, (p, task) => p.int32(Number(task.slice(2))))
        .tags()
    if (tasks === undefined) for (let list = 0; list < 3; list++) writer.compactArray(null, ids)
    else for (const list of [shown!, [], []]) writer.compactArray(list.length > 0 ? [list] : [], ids)
    if (version >= 1) writer.boolean(false)
    return finished(writer.int32(0).compactArray(null, () => {}))
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
        return speaks
      },
      async send(_broker, { apiName, apiVersion, body, timeoutMs }) {
        reach()
        requests.push(apiName)
        state.onRequest?.()
        const script = faults.find((entry) => entry.apiName === apiName && entry.times-- > 0)
        if (script?.fault === 'drop') throw unavailable()
        const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
        mine.add(reject)
        open.add(reject)
        if (timeoutMs !== undefined) void clock.sleep(timeoutMs).then(() => reject(unavailable()))
        if (script?.fault === 'hang') return promise
        if (typeof script?.fault === 'number') {
          resolve(heartbeatAnswer(apiVersion, { error: script.fault, message: script.message }))
          return promise
        }
        const reader = new WireReader(body)
        reader.tags()
        const bytes = handlers[apiName](reader, apiVersion)
        if (script?.fault === 'lose the answer') reject(unavailable())
        else resolve(bytes)
        return promise
      },
    }
  }

  return {
    state,
    members,
    beats,
    requests,
    config,
    features,
    speaks,
    connect,
    rebalance,
    remove: (id: string) => remove(members.get(id)!),
    fail(apiName: string, fault: Fault, { times = 1, message = 'because' } = {}) {
      faults.push({ apiName, fault, message, times })
    },
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
        if (clock.now() - start > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`)
      }
    },
    async pass(ms: number) {
      const end = clock.now() + ms
      await this.until(`${ms} ms pass`, () => clock.now() >= end, ms)
    },
  }
}

function readTopology(reader: WireReader) {
  reader.int32() // epoch
  const topicInfo = (r: WireReader) => {
    r.compactString()
    r.int32()
    r.int16()
    r.compactArray(pair)
    r.tags()
  }
  const subtopologies = reader.compactArray((r) => {
    const [id, sources] = [r.compactString(), r.compactArray(topicName)]
    r.compactArray(topicName)
    r.compactArray(topicInfo)
    r.compactArray(topicName)
    r.compactArray(topicInfo)
    r.compactArray((group) => {
      for (let list = 0; list < 3; list++) group.compactArray((index) => index.int16())
      group.tags()
    })
    r.tags()
    return { id, sources }
  })
  reader.tags()
  return subtopologies
}

function readTasks(reader: WireReader): string[] | undefined {
  if (reader.buffer[reader.position] === 0) {
    reader.skip(1)
    return undefined
  }
  const lists = reader.compactArray((r) => {
    const id = r.compactString()
    const tasks = r.compactArray((p) => `${id}_${p.int32()}`)
    r.tags()
    return tasks
  })
  return lists.flat()
}

function readOffsets(reader: WireReader): string[] | undefined {
  if (reader.buffer[reader.position] === 0) {
    reader.skip(1)
    return undefined
  }
  return reader.compactArray((r) => {
    const told = `${r.compactString()}_${r.int32()}@${r.int64()}`
    r.tags()
    return told
  })
}
