import { createHash } from 'node:crypto'
import { MillraceError, toError } from '../../errors.ts'
import type { RefusedRow, SinkBatch } from '../sink.ts'
import { type ContainerCodec, containerWriter } from './container.ts'
import { hourFolder, hourOf, lakePath } from './layout.ts'
import { keyText, type RowEncoder } from './row-encoder.ts'
import type { LakeObject } from './store.ts'

/** What files are made of a batch; the same for every batch of a sink. */
export interface FileFormat {
  /** Name in the path; undefined: the source topic. */
  readonly topic: string | undefined
  readonly schemaJson: string
  readonly encode: RowEncoder
  readonly codec: ContainerCodec
  readonly timeOf: ((value: never, timestamp: number) => number) | undefined
  readonly maxRows: number
  readonly maxBytes: number
}

export interface LakeFileContent {
  readonly path: string
  readonly object: LakeObject
}

/**
 * The files of a batch, one after the other. Names and rows depend on nothing but the batch and the format, so that a
 * replay makes the same files. Rows that fit no file are added to `refused`.
 */
export async function* filesOfBatch<K, V>(
  batch: SinkBatch<K, V>,
  format: FileFormat,
  refused: RefusedRow[],
): AsyncGenerator<LakeFileContent> {
  for (const [hour, rows] of rowsByHour(batch, format, refused)) yield* filesOfHour(batch, hour, rows, format, refused)
}

/** Indexes of the rows by hour of their time; in the order of offsets within an hour. */
function rowsByHour<K, V>(batch: SinkBatch<K, V>, format: FileFormat, refused: RefusedRow[]): Map<number, number[]> {
  const { values, timestamps, offsets } = batch
  const timeOf = format.timeOf as ((value: V, timestamp: number) => number) | undefined
  const hours = new Map<number, number[]>()
  const unsorted = new Set<number[]>()
  let lastHour = Number.NaN
  let rows: number[] = []
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === null || value === undefined) continue
    let hour: number | undefined
    try {
      const time = timeOf === undefined ? timestamps[i]! : timeOf(value, timestamps[i]!)
      hour = hourOf(time)
      if (hour === undefined) throw new RangeError(`no folder can be named after the time ${time}`)
    } catch (error) {
      refused.push(refusal(batch, i, error))
      continue
    }
    if (hour !== lastHour) {
      lastHour = hour
      const known = hours.get(hour)
      rows = known ?? []
      if (!known) hours.set(hour, rows)
    }
    if (rows.length > 0 && offsets[rows[rows.length - 1]!]! > offsets[i]!) unsorted.add(rows)
    rows.push(i)
  }
  for (const each of unsorted) each.sort((a, b) => offsets[a]! - offsets[b]!)
  return hours
}

/**
 * One file for the rows of an hour, or several above the limits. The offsets in their names divide the range of the
 * batch without gaps, and rows of one offset stay together, so no two files can get one name.
 */
async function* filesOfHour<K, V>(
  batch: SinkBatch<K, V>,
  hour: number,
  rows: readonly number[],
  format: FileFormat,
  refused: RefusedRow[],
): AsyncGenerator<LakeFileContent> {
  const { range, keys, values, timestamps, offsets } = batch
  const { encode, codec, schemaJson, maxRows, maxBytes } = format
  let firstOffset = range.firstOffset
  let writer = containerWriter(schemaJson, codec)

  const endFile = async (lastOffset: number): Promise<LakeFileContent> => {
    const folder = hourFolder(hour)
    const { partition } = range
    const path = lakePath({ topic: format.topic ?? range.topic, ...folder, partition, firstOffset, lastOffset })
    return { path, object: await writer.finish(syncMarker(path)) }
  }

  for (let r = 0; r < rows.length; r++) {
    const i = rows[r]!
    try {
      encode(keys[i], values[i], timestamps[i]!, range.partition, offsets[i]!, writer.out)
    } catch (error) {
      refused.push(refusal(batch, i, error))
      continue
    }
    if (writer.endRow()) await writer.settle()
    const full = writer.rows >= maxRows || writer.size >= maxBytes
    if (full && r + 1 < rows.length && offsets[rows[r + 1]!]! !== offsets[i]!) {
      yield await endFile(offsets[i]!)
      firstOffset = offsets[i]! + 1
      writer = containerWriter(schemaJson, codec)
    }
  }
  if (writer.rows > 0) yield await endFile(range.lastOffset)
}

/** The marker between a file's blocks: must be unlikely to occur in data, and the same at every replay. */
function syncMarker(path: string): Buffer {
  return createHash('sha256').update(path).digest().subarray(0, 16)
}

function refusal<K, V>({ range, keys, offsets }: SinkBatch<K, V>, index: number, thrown: unknown): RefusedRow {
  const error = toError(thrown)
  return {
    index,
    error: new MillraceError('UNENCODABLE_RECORD', `the row does not fit the lake: ${error.message}`, {
      cause: error,
      topic: range.topic,
      partition: range.partition,
      offset: offsets[index]!,
      key: keyText(keys[index]) ?? undefined,
      hint: 'correct the value, or give lake() the `schema` that it has',
    }),
  }
}
