/** A StreamsGroupHeartbeat as a broker reads it, and what the broker answers. */
import type { WireReader } from '../../../../../src/log/kafka/wire/wire-reader.ts'
import type { WireWriter } from '../../../../../src/log/kafka/wire/wire-writer.ts'
import { answer, finished } from '../fake-offsets.ts'

export interface Beat {
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

export interface HeartbeatAnswer {
  readonly error: number
  readonly message?: string
  readonly epoch?: number
  readonly heartbeatIntervalMs: number
  readonly offsetIntervalMs: number
  readonly statuses: readonly { readonly code: number; readonly detail: string }[]
  /** Left out where nothing has changed. */
  readonly tasks?: readonly string[]
}

const text = (reader: WireReader) => reader.compactString()
const pair = (reader: WireReader) => {
  const both = [reader.compactString(), reader.compactString()] as const
  reader.tags()
  return both
}

export function readBeat(reader: WireReader): Beat {
  reader.compactString() // group
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
    const [id, sources] = [r.compactString(), r.compactArray(text)]
    r.compactArray(text)
    r.compactArray(topicInfo)
    r.compactArray(text)
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
  if (isNull(reader)) return undefined
  const lists = reader.compactArray((r) => {
    const id = r.compactString()
    const tasks = r.compactArray((p) => `${id}_${p.int32()}`)
    r.tags()
    return tasks
  })
  return lists.flat()
}

function readOffsets(reader: WireReader): string[] | undefined {
  if (isNull(reader)) return undefined
  return reader.compactArray((r) => {
    const told = `${r.compactString()}_${r.int32()}@${r.int64()}`
    r.tags()
    return told
  })
}

/** Reads on behind a list that is null. */
function isNull(reader: WireReader): boolean {
  const isNone = reader.buffer[reader.position] === 0
  if (isNone) reader.skip(1)
  return isNone
}

export function heartbeatAnswer(version: number, given: HeartbeatAnswer): Buffer {
  const { error, message = null, epoch = 0, heartbeatIntervalMs, offsetIntervalMs, statuses, tasks } = given
  const writer = answer().int16(error).compactString(message).compactString('').int32(epoch).int32(heartbeatIntervalMs)
  if (version === 0) writer.int32(10_000)
  writer.int32(offsetIntervalMs)
  if (version >= 1) writer.int64(10_000)
  writer.compactArray(statuses, (w, { code, detail }) => w.int8(code).compactString(detail).tags())
  const ids = (w: WireWriter, list: readonly string[]) =>
    w
      .compactString('0')
      .compactArray(list, (p, task) => p.int32(Number(task.slice(2))))
      .tags()
  if (tasks === undefined) for (let list = 0; list < 3; list++) writer.compactArray(null, ids)
  else for (const list of [tasks, [], []]) writer.compactArray(list.length > 0 ? [list] : [], ids)
  if (version >= 1) writer.boolean(false)
  return finished(writer.int32(0).compactArray(null, () => {}))
}
