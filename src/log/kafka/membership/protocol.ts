import type { CommittedOffset, Stamp, TopicPartition } from '../../log.ts'
import { byTopic, type PartitionResult } from '../wire/by-topic.ts'
import type { Request } from '../wire/request.ts'
import type { WireReader } from '../wire/wire-reader.ts'
import { WireWriter } from '../wire/wire-writer.ts'

/**
 * The requests of Kafka's classic group protocol, in versions that every broker since 2.5 has. All are flexible
 * (KIP-482); the fields are those of the message definitions in Kafka's clients/src/main/resources/common/message.
 */

/** A protocol type of 'consumer' is what makes Kafka's tools show the group. */
const PROTOCOL_TYPE = 'consumer'
/**
 * Every member of a group must offer the same; the broker refuses a consumer with another one. It names the rebalance
 * protocol, too: members that stop everything before they join must not meet those that do not.
 */
const PROTOCOL_NAME = 'millrace-cooperative'

export const JOIN_GROUP = 11
/** v9 says when a leader that came back need not assign (KIP-814); v7 is the newest that all brokers have. */
export const joinGroupVersions = { oldest: 7, newest: 9 }

export interface JoinGroupAnswer {
  readonly error: number
  readonly generation: number
  readonly leader: string
  readonly memberId: string
  /** The assignment of the generation stands; the leader sends none. */
  readonly skipAssignment: boolean
  /** Only the leader is told. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

export function joinGroupRequest(
  apiVersion: number,
  join: {
    readonly group: string
    readonly memberId: string
    readonly instanceId?: string
    readonly sessionTimeoutMs: number
    readonly rebalanceTimeoutMs: number
    readonly metadata: Buffer
    /** Shown in the broker's log. */
    readonly reason: string
  },
): Request<JoinGroupAnswer> {
  const writer = new WireWriter(256 + join.metadata.length)
    .tags()
    .compactString(join.group)
    .int32(join.sessionTimeoutMs)
    .int32(join.rebalanceTimeoutMs)
    .compactString(join.memberId)
    .compactString(join.instanceId ?? null)
    .compactString(PROTOCOL_TYPE)
    .compactArray([PROTOCOL_NAME], (w, name) => w.compactString(name).compactBytes(join.metadata).tags())
  if (apiVersion >= 8) writer.compactString(join.reason)
  return {
    apiKey: JOIN_GROUP,
    apiName: 'JoinGroup',
    apiVersion,
    body: writer.tags().finish(),
    waitMs: join.rebalanceTimeoutMs,
    decode(reader) {
      reader.tags()
      reader.int32() // throttle time
      const error = reader.int16()
      const generation = reader.int32()
      reader.nullableCompactString() // protocol type
      reader.nullableCompactString() // protocol name
      const leader = reader.compactString()
      const skipAssignment = apiVersion >= 9 && reader.boolean()
      const memberId = reader.compactString()
      const members = reader.compactArray((r) => {
        const member = r.compactString()
        r.nullableCompactString() // instance id
        const metadata = r.compactBytes() ?? Buffer.alloc(0)
        r.tags()
        return { memberId: member, metadata }
      })
      return { error, generation, leader, memberId, skipAssignment, members }
    },
  }
}

/** SyncGroup v5. The leader sends what it decided, the others nothing; all get their own part. */
export function syncGroupRequest(
  stamp: Stamp,
  assignments: readonly (readonly [memberId: string, assignment: Buffer])[],
  waitMs: number,
): Request<{ error: number; assignment: Buffer }> {
  return {
    apiKey: 14,
    apiName: 'SyncGroup',
    apiVersion: 5,
    body: stamped(stamp)
      .compactString(PROTOCOL_TYPE)
      .compactString(PROTOCOL_NAME)
      .compactArray(assignments, (w, [memberId, assignment]) =>
        w.compactString(memberId).compactBytes(assignment).tags(),
      )
      .tags()
      .finish(),
    waitMs,
    decode(reader) {
      reader.tags()
      reader.int32() // throttle time
      const error = reader.int16()
      reader.nullableCompactString() // protocol type
      reader.nullableCompactString() // protocol name
      return { error, assignment: reader.compactBytes() ?? Buffer.alloc(0) }
    },
  }
}

/** Heartbeat v4. */
export function heartbeatRequest(stamp: Stamp): Request<{ error: number }> {
  return { apiKey: 12, apiName: 'Heartbeat', apiVersion: 4, body: stamped(stamp).tags().finish(), decode: onlyError }
}

/** LeaveGroup v4. */
export function leaveGroupRequest({ group, memberId, instanceId }: Omit<Stamp, 'epoch'>): Request<{ error: number }> {
  return {
    apiKey: 13,
    apiName: 'LeaveGroup',
    apiVersion: 4,
    body: new WireWriter()
      .tags()
      .compactString(group)
      .compactArray([memberId], (w, id) =>
        w
          .compactString(id)
          .compactString(instanceId ?? null)
          .tags(),
      )
      .tags()
      .finish(),
    decode: onlyError,
  }
}

/** OffsetCommit v8, and v9, which is the same and the first that takes the epoch of a member (KIP-848). */
export const commitVersions = { generations: 8, memberEpochs: 9 } as const

export function offsetCommitRequest(
  apiVersion: number,
  stamp: Stamp,
  offsets: readonly CommittedOffset[],
): Request<readonly PartitionResult[]> {
  return {
    apiKey: 8,
    apiName: 'OffsetCommit',
    apiVersion,
    body: stamped(stamp)
      .compactArray(byTopic(offsets), (w, [topic, positions]) =>
        w
          .compactString(topic)
          .compactArray(positions, (p, { partition, offset, metadata }) =>
            p
              .int32(partition)
              .int64(offset)
              .int32(-1) // leader epoch
              .compactString(metadata ?? null)
              .tags(),
          )
          .tags(),
      )
      .tags()
      .finish(),
    decode(reader) {
      reader.tags()
      reader.int32() // throttle time
      return topicPartitions(reader, (r) => ({ partition: r.int32(), error: r.int16() }))
    },
  }
}

export interface FetchedOffset extends CommittedOffset, PartitionResult {}

/** OffsetFetch v7, with `requireStable`: UNSTABLE_OFFSET_COMMIT while a transaction is undecided (KIP-447). */
export function offsetFetchRequest(
  group: string,
  partitions: readonly TopicPartition[],
): Request<{ error: number; offsets: readonly FetchedOffset[] }> {
  return {
    apiKey: 9,
    apiName: 'OffsetFetch',
    apiVersion: 7,
    body: new WireWriter()
      .tags()
      .compactString(group)
      .compactArray(byTopic(partitions), (w, [topic, ids]) =>
        w
          .compactString(topic)
          .compactArray(ids, (p, { partition }) => p.int32(partition))
          .tags(),
      )
      .boolean(true)
      .tags()
      .finish(),
    decode(reader) {
      reader.tags()
      reader.int32() // throttle time
      const offsets = topicPartitions(reader, (r) => {
        const partition = r.int32()
        const offset = r.int64()
        r.int32() // leader epoch
        const metadata = r.compactString()
        return { partition, offset, ...(metadata && { metadata }), error: r.int16() }
      })
      return { error: reader.int16(), offsets }
    },
  }
}

/** The beginning that SyncGroup, Heartbeat and OffsetCommit share. */
function stamped({ group, epoch, memberId, instanceId }: Stamp): WireWriter {
  return new WireWriter()
    .tags()
    .compactString(group)
    .int32(epoch)
    .compactString(memberId)
    .compactString(instanceId ?? null)
}

function onlyError(reader: WireReader): { error: number } {
  reader.tags()
  reader.int32() // throttle time
  return { error: reader.int16() }
}

function topicPartitions<P extends object>(reader: WireReader, read: (reader: WireReader) => P) {
  const topics = reader.compactArray((r) => {
    const topic = r.compactString()
    const partitions = r.compactArray((p) => {
      const partition = read(p)
      p.tags()
      return { topic, ...partition }
    })
    r.tags()
    return partitions
  })
  return topics.flat()
}
