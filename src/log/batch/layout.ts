/**
 * Where things are in a record batch of magic 2 (Kafka protocol guide, "Record Batch"). All numbers are big-endian;
 * the CRC covers everything from the attributes on.
 */
export const LENGTH = 8
export const LEADER_EPOCH = 12
export const MAGIC = 16
export const CRC = 17
export const ATTRIBUTES = 21
export const LAST_OFFSET_DELTA = 23
export const BASE_TIMESTAMP = 27
export const MAX_TIMESTAMP = 35
export const PRODUCER_ID = 43
export const PRODUCER_EPOCH = 51
export const BASE_SEQUENCE = 53
export const COUNT = 57
export const RECORDS = 61

/** Bytes before what `length` counts: base offset and the length itself. */
export const PREFIX = 12

export const COMPRESSION_BITS = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20

/** The shortest record: a byte each for length, attributes, two deltas, two absent lengths and the header count. */
export const SHORTEST_RECORD = 7
