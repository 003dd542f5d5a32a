import { type ErrorCode, type ErrorContext, MillraceError } from '../../../errors.ts'

/**
 * The error codes of the Kafka protocol that a client of Millrace can meet, by name
 * (org.apache.kafka.common.protocol.Errors).
 */
export const errorCodes = {
  UNKNOWN_SERVER_ERROR: -1,
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  INVALID_FETCH_SIZE: 4,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  BROKER_NOT_AVAILABLE: 8,
  REPLICA_NOT_AVAILABLE: 9,
  MESSAGE_TOO_LARGE: 10,
  OFFSET_METADATA_TOO_LARGE: 12,
  NETWORK_EXCEPTION: 13,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  RECORD_LIST_TOO_LARGE: 18,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  INVALID_REQUIRED_ACKS: 21,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  INVALID_COMMIT_OFFSET_SIZE: 28,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  INVALID_TIMESTAMP: 32,
  UNSUPPORTED_SASL_MECHANISM: 33,
  ILLEGAL_SASL_STATE: 34,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_REPLICA_ASSIGNMENT: 39,
  INVALID_CONFIG: 40,
  NOT_CONTROLLER: 41,
  INVALID_REQUEST: 42,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 43,
  POLICY_VIOLATION: 44,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  INVALID_TRANSACTION_TIMEOUT: 50,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTION_COORDINATOR_FENCED: 52,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
  SECURITY_DISABLED: 54,
  OPERATION_NOT_ATTEMPTED: 55,
  KAFKA_STORAGE_ERROR: 56,
  SASL_AUTHENTICATION_FAILED: 58,
  UNKNOWN_PRODUCER_ID: 59,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  INVALID_FETCH_SESSION_EPOCH: 71,
  LISTENER_NOT_FOUND: 72,
  TOPIC_DELETION_DISABLED: 73,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  UNSUPPORTED_COMPRESSION_TYPE: 76,
  STALE_BROKER_EPOCH: 77,
  OFFSET_NOT_AVAILABLE: 78,
  MEMBER_ID_REQUIRED: 79,
  PREFERRED_LEADER_NOT_AVAILABLE: 80,
  GROUP_MAX_SIZE_REACHED: 81,
  FENCED_INSTANCE_ID: 82,
  INVALID_RECORD: 87,
  UNSTABLE_OFFSET_COMMIT: 88,
  THROTTLING_QUOTA_EXCEEDED: 89,
  PRODUCER_FENCED: 90,
  INCONSISTENT_TOPIC_ID: 103,
  UNKNOWN_TOPIC_ID: 100,
  FENCED_MEMBER_EPOCH: 110,
  UNRELEASED_INSTANCE_ID: 111,
  STALE_MEMBER_EPOCH: 113,
  TRANSACTION_ABORTABLE: 120,
  STREAMS_INVALID_TOPOLOGY: 130,
  STREAMS_INVALID_TOPOLOGY_EPOCH: 131,
  STREAMS_TOPOLOGY_FENCED: 132,
} as const

export type KafkaErrorName = keyof typeof errorCodes

const names = new Map<number, KafkaErrorName>(
  Object.entries(errorCodes).map(([name, code]) => [code, name as KafkaErrorName]),
)

/** The name of a code; a code that is not in the table is given as 'ERROR_<code>'. */
export function errorName(code: number): KafkaErrorName | `ERROR_${number}` {
  return names.get(code) ?? `ERROR_${code}`
}

/** Codes after which the same request may succeed later, at the same broker or another. */
const retriable: ReadonlySet<KafkaErrorName> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'LISTENER_NOT_FOUND',
  'OFFSET_NOT_AVAILABLE',
  'PREFERRED_LEADER_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'THROTTLING_QUOTA_EXCEEDED',
  'INCONSISTENT_TOPIC_ID',
  'UNKNOWN_TOPIC_ID',
])

export function isRetriableCode(code: number): boolean {
  const name = names.get(code)
  return name !== undefined && retriable.has(name)
}

/** Codes that say that somebody else has taken over, or that the broker has given up on this producer or member. */
const fencing: ReadonlySet<KafkaErrorName> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_TXN_STATE',
  'INVALID_PRODUCER_ID_MAPPING',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'FENCED_MEMBER_EPOCH',
  'STALE_MEMBER_EPOCH',
])

export function isFencing(code: number): boolean {
  const name = names.get(code)
  return name !== undefined && fencing.has(name)
}

const producerFencing: ReadonlySet<KafkaErrorName> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
])

/** True when the producer itself is out, as opposed to its transaction or the member whose offsets it commits. */
export function isProducerFencing(code: number): boolean {
  const name = names.get(code)
  return name !== undefined && producerFencing.has(name)
}

const translations: Partial<Record<KafkaErrorName, readonly [ErrorCode, hint?: string]>> = {
  OFFSET_OUT_OF_RANGE: ['OFFSET_OUT_OF_RANGE'],
  CORRUPT_MESSAGE: ['CORRUPT_BATCH'],
  UNKNOWN_TOPIC_OR_PARTITION: ['MISSING_TOPIC', 'create the topic, or check its name and number of partitions'],
  MESSAGE_TOO_LARGE: ['RECORD_TOO_LARGE', "raise the topic's max.message.bytes, or write smaller batches"],
  RECORD_LIST_TOO_LARGE: ['RECORD_TOO_LARGE', "raise the topic's segment.bytes, or write smaller batches"],
  OFFSET_METADATA_TOO_LARGE: ['INVALID_OPTION', "raise the broker's offset.metadata.max.bytes"],
  INVALID_TOPIC_EXCEPTION: ['INVALID_OPTION', 'a topic name has at most 249 of the characters a-z A-Z 0-9 . _ -'],
  INVALID_GROUP_ID: ['INVALID_OPTION'],
  INVALID_SESSION_TIMEOUT: ['INVALID_OPTION', "keep it within the broker's group.min/max.session.timeout.ms"],
  TOPIC_AUTHORIZATION_FAILED: ['NOT_AUTHORIZED', 'give the user the right to this topic (kafka-acls)'],
  GROUP_AUTHORIZATION_FAILED: ['NOT_AUTHORIZED', 'give the user the right to read the group (kafka-acls)'],
  CLUSTER_AUTHORIZATION_FAILED: ['NOT_AUTHORIZED', 'give the user the right on the cluster (kafka-acls)'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [
    'NOT_AUTHORIZED',
    'give the user the right to write with the transactional id',
  ],
  INVALID_TIMESTAMP: ['UNENCODABLE_RECORD', "the topic's message.timestamp.before/after.max.ms forbid the timestamp"],
  UNSUPPORTED_SASL_MECHANISM: ['AUTHENTICATION_FAILED', 'use a mechanism that the broker has enabled'],
  ILLEGAL_SASL_STATE: [
    'AUTHENTICATION_FAILED',
    'this listener does not ask for SASL: leave `sasl` out or use another port',
  ],
  SASL_AUTHENTICATION_FAILED: ['AUTHENTICATION_FAILED'],
  INVALID_PARTITIONS: ['INVALID_OPTION'],
  INVALID_REPLICATION_FACTOR: ['INVALID_OPTION', 'it cannot be greater than the number of brokers'],
  INVALID_CONFIG: ['INVALID_OPTION'],
  POLICY_VIOLATION: ['INVALID_OPTION'],
  INVALID_RECORD: ['UNENCODABLE_RECORD', 'a compacted topic takes only records with a key'],
  INVALID_TRANSACTION_TIMEOUT: ['INVALID_OPTION', "keep it below the broker's transaction.max.timeout.ms"],
  UNSUPPORTED_VERSION: ['UNAVAILABLE', 'Kafka 2.5 or newer is needed'],
}

/** What a broker answered, as the library's own error. `what` is the thing that failed: 'fetching', 'ending the …'. */
export function kafkaError(
  code: number,
  what: string,
  context: ErrorContext & { readonly detail?: string | null } = {},
): MillraceError {
  const { detail, ...where } = context
  const name = errorName(code)
  const message = `${what} failed: the broker answered ${name}${detail ? ` (${detail})` : ''}`
  if (isFencing(code)) return new MillraceError('FENCED', message, where)
  const translation = translations[name as KafkaErrorName]
  if (translation) return new MillraceError(translation[0], message, { ...where, hint: translation[1] })
  if (isRetriableCode(code)) return new MillraceError('UNAVAILABLE', message, { ...where, retriable: true })
  return new MillraceError('INTERNAL', message, where)
}
