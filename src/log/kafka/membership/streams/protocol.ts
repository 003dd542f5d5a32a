import type { Request } from '../../wire/request.ts'
import type { WireReader } from '../../wire/wire-reader.ts'
import { WireWriter } from '../../wire/wire-writer.ts'

/**
 * The requests of Kafka's streams group protocol (KIP-1071). All versions are flexible (KIP-482); the fields, in their order,
 * are those of StreamsGroupHeartbeatRequest.json and its neighbours in Kafka's clients/src/main/resources/common/message.
 */

export const STREAMS_GROUP_HEARTBEAT = 88

/** v1 came with Kafka 4.4, and with it static members; the request is the same. */
export const heartbeatVersions = { oldest: 0, newest: 1 }
/** Since this version brokers take static members; Kafka 4.2 and 4.3 answer INVALID_REQUEST. */
export const STATIC_MEMBERS = 1
/** Since this version they want to know how far tasks are; Kafka 4.2 and 4.3: "TaskOffsets are not supported yet". */
export const TASK_OFFSETS = 1

/** Epochs of a heartbeat that say more than where the member is. */
export const JOINING = 0
export const LEAVING = -1
/** A static member that comes back: its tasks wait for it until the session ends. */
export const PAUSING = -2

/** Partitions of one subtopology: so many tasks. */
export interface TaskIds {
  readonly subtopology: string
  readonly partitions: readonly number[]
}

export interface TaskLists {
  readonly active: readonly TaskIds[]
  readonly standby: readonly TaskIds[]
  readonly warmup: readonly TaskIds[]
}

/** How far the changelogs of a task have been read here, or where they end: the sum over its stores. */
export interface TaskOffset {
  readonly subtopology: string
  readonly partition: number
  readonly offset: number
}

export interface TopicInfo {
  readonly topic: string
  /** 0: the broker decides, from what the topic is fed from. Always 0 for a changelog. */
  readonly partitions: number
  /** 0: the broker's default. */
  readonly replicationFactor: number
  readonly config: readonly (readonly [name: string, value: string])[]
}

export interface WireSubtopology {
  readonly id: string
  readonly sourceTopics: readonly string[]
  readonly changelogs: readonly TopicInfo[]
  readonly repartitionSinks: readonly string[]
  readonly repartitionSources: readonly TopicInfo[]
  /** Indexes into `sourceTopics` and `repartitionSources`. */
  readonly copartitioned: readonly {
    readonly sourceTopics: readonly number[]
    readonly repartitionSources: readonly number[]
  }[]
}

/** What is left out has not changed since the last heartbeat. */
export interface StreamsHeartbeat {
  readonly group: string
  readonly memberId: string
  readonly epoch: number
  readonly instanceId?: string
  readonly rack?: string
  readonly rebalanceTimeoutMs?: number
  /** Only with epoch 0. */
  readonly topology?: { readonly epoch: number; readonly subtopologies: readonly WireSubtopology[] }
  readonly owned?: TaskLists
  readonly processId?: string
  readonly clientTags?: Readonly<Record<string, string>>
  readonly offsets?: readonly TaskOffset[]
  readonly endOffsets?: readonly TaskOffset[]
}

export interface StreamsHeartbeatAnswer {
  readonly error: number
  readonly message: string | null
  readonly memberId: string
  readonly epoch: number
  readonly heartbeatIntervalMs: number
  readonly offsetIntervalMs: number
  /** Up to which lag a task counts as caught up; -1: the broker does not say. */
  readonly acceptableLag: number
  readonly statuses: readonly Status[]
  /** Undefined: as they were. */
  readonly tasks: TaskLists | undefined
}

export interface Status {
  readonly code: number
  readonly detail: string
}

/** The codes of {@link Status}. */
export const statusCodes = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
  MISSING_CLIENT_TAGS: 6,
} as const

export function streamsHeartbeatRequest(apiVersion: number, beat: StreamsHeartbeat): Request<StreamsHeartbeatAnswer> {
  const writer = new WireWriter(512)
    .tags() // ends the header
    .compactString(beat.group)
    .compactString(beat.memberId)
    .int32(beat.epoch)
    .int32(-1) // no endpoint, so that no endpoint information is asked for
    .compactString(beat.instanceId ?? null)
    .compactString(beat.rack ?? null)
    .int32(beat.rebalanceTimeoutMs ?? -1)
  if (beat.topology === undefined) writer.int8(-1)
  else {
    writer.int8(1).int32(beat.topology.epoch).compactArray(beat.topology.subtopologies, writeSubtopology).tags()
  }
  const { owned } = beat
  for (const list of [owned?.active, owned?.standby, owned?.warmup]) writer.compactArray(list ?? null, writeTaskIds)
  writer.compactString(beat.processId ?? null).int8(-1) // no endpoint
  const tags = beat.clientTags === undefined ? null : Object.entries(beat.clientTags)
  writer.compactArray(tags, writePair)
  for (const offsets of [beat.offsets, beat.endOffsets]) writer.compactArray(offsets ?? null, writeOffset)
  return {
    apiKey: STREAMS_GROUP_HEARTBEAT,
    apiName: 'StreamsGroupHeartbeat',
    apiVersion,
    body: writer.boolean(false).tags().finish(), // nobody shuts down the others
    decode: (reader) => readAnswer(reader, apiVersion),
  }
}

function writeSubtopology(w: WireWriter, of: WireSubtopology): void {
  const topic = (to: WireWriter, name: string) => to.compactString(name)
  const indexes = (to: WireWriter, index: number) => to.int16(index)
  w.compactString(of.id)
    .compactArray(of.sourceTopics, topic)
    .compactArray([], topic) // by name, not by pattern
    .compactArray(of.changelogs, writeTopicInfo)
    .compactArray(of.repartitionSinks, topic)
    .compactArray(of.repartitionSources, writeTopicInfo)
    .compactArray(of.copartitioned, (to, group) =>
      to
        .compactArray(group.sourceTopics, indexes)
        .compactArray([], indexes)
        .compactArray(group.repartitionSources, indexes)
        .tags(),
    )
    .tags()
}

function writeTopicInfo(w: WireWriter, { topic, partitions, replicationFactor, config }: TopicInfo): void {
  w.compactString(topic).int32(partitions).int16(replicationFactor).compactArray(config, writePair).tags()
}

function writePair(w: WireWriter, [key, value]: readonly [string, string]): void {
  w.compactString(key).compactString(value).tags()
}

function writeTaskIds(w: WireWriter, { subtopology, partitions }: TaskIds): void {
  w.compactString(subtopology)
    .compactArray(partitions, (to, partition) => to.int32(partition))
    .tags()
}

function writeOffset(w: WireWriter, { subtopology, partition, offset }: TaskOffset): void {
  w.compactString(subtopology).int32(partition).int64(offset).tags()
}

function readAnswer(reader: WireReader, apiVersion: number): StreamsHeartbeatAnswer {
  reader.tags() // ends the header
  reader.int32() // throttle time
  const error = reader.int16()
  const message = reader.nullableCompactString()
  const memberId = reader.compactString()
  const epoch = reader.int32()
  const heartbeatIntervalMs = reader.int32()
  const oldLag = apiVersion === 0 ? reader.int32() : -1
  const offsetIntervalMs = reader.int32()
  const acceptableLag = apiVersion === 0 ? oldLag : reader.int64()
  const statuses = reader.compactArray((r) => {
    const status = { code: r.int8(), detail: r.compactString() }
    r.tags()
    return status
  })
  const [active, standby, warmup] = [readChanged(reader), readChanged(reader), readChanged(reader)]
  // What follows is the description for a plugin of the broker, and endpoints: not asked for.
  const isUnchanged = active === undefined && standby === undefined && warmup === undefined
  const tasks = isUnchanged ? undefined : { active: active ?? [], standby: standby ?? [], warmup: warmup ?? [] }
  return { error, message, memberId, epoch, heartbeatIntervalMs, offsetIntervalMs, acceptableLag, statuses, tasks }
}

/** Undefined where the array is null, which `compactArray` cannot tell from an empty one. */
function readChanged(reader: WireReader): readonly TaskIds[] | undefined {
  if (reader.buffer[reader.position] !== 0) return reader.compactArray(readTaskIds)
  reader.skip(1)
  return undefined
}

export function readTaskIds(reader: WireReader): TaskIds {
  const ids = { subtopology: reader.compactString(), partitions: reader.compactArray((p) => p.int32()) }
  reader.tags()
  return ids
}
