import type { Request } from '../../wire/request.ts'
import type { WireReader } from '../../wire/wire-reader.ts'
import { WireWriter } from '../../wire/wire-writer.ts'
import { readTaskIds, type TaskLists, type TaskOffset } from './protocol.ts'

/** A member as the broker sees it. */
export interface DescribedMember {
  readonly memberId: string
  readonly epoch: number
  readonly instanceId: string | null
  readonly processId: string
  readonly offsets: readonly TaskOffset[]
  readonly endOffsets: readonly TaskOffset[]
  readonly tasks: TaskLists
  /** Where the group is going. */
  readonly target: TaskLists
}

export interface DescribedGroup {
  readonly error: number
  readonly message: string | null
  /** 'Empty', 'NotReady', 'Assigning', 'Reconciling', 'Stable', 'Dead'. */
  readonly state: string
  readonly members: readonly DescribedMember[]
}

/** StreamsGroupDescribe v0 of one group. */
export function streamsDescribeRequest(group: string): Request<DescribedGroup> {
  return {
    apiKey: 89,
    apiName: 'StreamsGroupDescribe',
    apiVersion: 0,
    body: new WireWriter()
      .tags() // ends the header
      .compactArray([group], (w, id) => w.compactString(id))
      .boolean(false) // no authorized operations
      .tags()
      .finish(),
    decode(reader) {
      reader.tags()
      reader.int32() // throttle time
      return reader.compactArray(readGroup)[0]
    },
  }
}

function readGroup(reader: WireReader): DescribedGroup {
  const error = reader.int16()
  const message = reader.nullableCompactString()
  reader.compactString() // group
  const state = reader.compactString()
  reader.int32() // group epoch
  reader.int32() // assignment epoch
  if (reader.int8() >= 0) skipTopology(reader)
  const members = reader.compactArray(readMember)
  reader.int32() // authorized operations
  reader.tags()
  return { error, message, state, members }
}

function skipTopology(reader: WireReader): void {
  reader.int32() // epoch
  reader.compactArray((r) => {
    r.compactString() // subtopology
    r.compactArray((topic) => topic.compactString()) // sources
    r.compactArray((topic) => topic.compactString()) // repartition sinks
    for (const _ of ['changelogs', 'repartition sources']) r.compactArray(skipTopicInfo)
    r.tags()
  })
  reader.tags()
}

function skipTopicInfo(reader: WireReader): void {
  reader.compactString()
  reader.int32() // partitions
  reader.int16() // replication factor
  reader.compactArray(skipPair)
  reader.tags()
}

function skipPair(reader: WireReader): void {
  reader.compactString()
  reader.compactString()
  reader.tags()
}

function readMember(reader: WireReader): DescribedMember {
  const memberId = reader.compactString()
  const epoch = reader.int32()
  const instanceId = reader.nullableCompactString()
  reader.nullableCompactString() // rack
  reader.compactString() // client id
  reader.compactString() // client host
  reader.int32() // topology epoch
  const processId = reader.compactString()
  if (reader.int8() >= 0) {
    reader.compactString() // host of the endpoint
    reader.uint16()
    reader.tags()
  }
  reader.compactArray(skipPair) // client tags
  const offsets = reader.compactArray(readOffset)
  const endOffsets = reader.compactArray(readOffset)
  const tasks = readAssignment(reader)
  const target = readAssignment(reader)
  reader.boolean() // a member of the classic protocol
  reader.tags()
  return { memberId, epoch, instanceId, processId, offsets, endOffsets, tasks, target }
}

function readOffset(reader: WireReader): TaskOffset {
  const offset = { subtopology: reader.compactString(), partition: reader.int32(), offset: reader.int64() }
  reader.tags()
  return offset
}

function readAssignment(reader: WireReader): TaskLists {
  const lists = {
    active: reader.compactArray(readTaskIds),
    standby: reader.compactArray(readTaskIds),
    warmup: reader.compactArray(readTaskIds),
  }
  reader.tags()
  return lists
}
