import type { CommittedOffset, Stamp, TopicPartition } from '../../log.ts'
import { byTopic, type PartitionResult, readByTopic, writeByTopic } from './by-topic.ts'
import type { Request } from './request.ts'
import type { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Who writes, in the eyes of the brokers. A higher epoch of the same id fences the lower. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

/** InitProducerId v1. Without transactional id any broker answers, with one its coordinator. */
export function initProducerIdRequest(
  transactionalId: string | null,
  transactionTimeoutMs: number,
): Request<ProducerIdentity & { readonly error: number }> {
  return {
    apiKey: 22,
    apiName: 'InitProducerId',
    apiVersion: 1,
    body: new WireWriter().string(transactionalId).int32(transactionTimeoutMs).finish(),
    decode(reader) {
      reader.int32() // throttle time
      return { error: reader.int16(), producerId: reader.int64(), epoch: reader.int16() }
    },
  }
}

/** AddPartitionsToTxn v1. */
export function addPartitionsRequest(
  transactionalId: string,
  identity: ProducerIdentity,
  partitions: readonly TopicPartition[],
): Request<readonly PartitionResult[]> {
  return {
    apiKey: 24,
    apiName: 'AddPartitionsToTxn',
    apiVersion: 1,
    body: writeByTopic(transaction(transactionalId, identity), partitions, (w, { partition }) =>
      w.int32(partition),
    ).finish(),
    decode(reader) {
      reader.int32() // throttle time
      return readByTopic(reader, partitionResult)
    },
  }
}

/** AddOffsetsToTxn v1. */
export function addOffsetsRequest(
  transactionalId: string,
  identity: ProducerIdentity,
  group: string,
): Request<{ readonly error: number }> {
  return {
    apiKey: 25,
    apiName: 'AddOffsetsToTxn',
    apiVersion: 1,
    body: transaction(transactionalId, identity).string(group).finish(),
    decode: errorAfterThrottle,
  }
}

/** EndTxn v1. */
export function endTransactionRequest(
  transactionalId: string,
  identity: ProducerIdentity,
  commit: boolean,
): Request<{ readonly error: number }> {
  return {
    apiKey: 26,
    apiName: 'EndTxn',
    apiVersion: 1,
    body: transaction(transactionalId, identity).boolean(commit).finish(),
    decode: errorAfterThrottle,
  }
}

/** TxnOffsetCommit v3 (flexible): the first version that carries member and generation (KIP-447). */
export function commitOffsetsRequest(
  transactionalId: string,
  identity: ProducerIdentity,
  stamp: Stamp,
  offsets: readonly CommittedOffset[],
): Request<readonly PartitionResult[]> {
  const body = new WireWriter(256 + offsets.length * 64)
    .tags() // ends the header
    .compactString(transactionalId)
    .compactString(stamp.group)
    .int64(identity.producerId)
    .int16(identity.epoch)
    .int32(stamp.epoch)
    .compactString(stamp.memberId)
    .compactString(stamp.instanceId ?? null)
    .compactArray(byTopic(offsets), (w, [topic, partitions]) =>
      w
        .compactString(topic)
        .compactArray(partitions, (p, { partition, offset, metadata }) =>
          p
            .int32(partition)
            .int64(offset)
            .int32(-1) // leader epoch: not known
            .compactString(metadata ?? '')
            .tags(),
        )
        .tags(),
    )
    .tags()
  return {
    apiKey: 28,
    apiName: 'TxnOffsetCommit',
    apiVersion: 3,
    body: body.finish(),
    decode(reader) {
      reader.tags() // ends the header
      reader.int32() // throttle time
      const topics = reader.compactArray((r) => {
        const topic = r.compactString()
        const results = r.compactArray(() => {
          const result = partitionResult(r, topic)
          r.tags()
          return result
        })
        r.tags()
        return results
      })
      return topics.flat()
    },
  }
}

const transaction = (transactionalId: string, { producerId, epoch }: ProducerIdentity) =>
  new WireWriter().string(transactionalId).int64(producerId).int16(epoch)

const partitionResult = (reader: WireReader, topic: string): PartitionResult => ({
  topic,
  partition: reader.int32(),
  error: reader.int16(),
})

function errorAfterThrottle(reader: WireReader): { error: number } {
  reader.int32() // throttle time
  return { error: reader.int16() }
}
