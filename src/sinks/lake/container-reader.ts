import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../../serde/serde.ts'
import { VarintReader } from './avro-varint.ts'

/** A container file laid open: its schema and its blocks, uncompressed. */
export interface OpenContainer {
  readonly schemaJson: string
  readonly schema: AvroSchema
  readonly codec: string
  readonly blocks: readonly { readonly count: number; readonly rows: Buffer }[]
}

/** Reads a whole Avro object container file. Throws `CORRUPT_BATCH` naming the file when it is not one. */
export function openContainer(bytes: Buffer, name: string): OpenContainer {
  try {
    return parse(bytes)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError('CORRUPT_BATCH', `${name} is not a whole Avro container file: ${reason}`, { cause })
  }
}

function parse(bytes: Buffer): OpenContainer {
  const reader = new VarintReader(bytes)
  if (reader.take(4).toString('latin1') !== 'Obj\x01') throw new Error('it does not begin with "Obj" 1')
  const metadata = readMetadata(reader)
  const schemaJson = metadata.get('avro.schema')?.toString()
  if (schemaJson === undefined) throw new Error('its header has no schema')
  const codec = metadata.get('avro.codec')?.toString() ?? 'null'
  if (codec !== 'null' && codec !== 'deflate') throw new Error(`codec ${codec} is not supported`)
  const sync = reader.take(16)
  const blocks: { count: number; rows: Buffer }[] = []
  while (reader.position < bytes.length) {
    const count = reader.long()
    const data = reader.take(reader.long())
    if (!reader.take(16).equals(sync)) throw new Error(`block ${blocks.length} does not end in the sync marker`)
    blocks.push({ count, rows: codec === 'null' ? data : inflateRawSync(data) })
  }
  return { schemaJson, schema: JSON.parse(schemaJson) as AvroSchema, codec, blocks }
}

function readMetadata(reader: VarintReader): Map<string, Buffer> {
  const metadata = new Map<string, Buffer>()
  for (let count = reader.long(); count !== 0; count = reader.long()) {
    // A negative count is followed by the size of the map's block in bytes (Avro 1.11, "Maps").
    if (count < 0) reader.long()
    for (let i = Math.abs(count); i > 0; i--) {
      const key = reader.take(reader.long()).toString()
      metadata.set(key, reader.take(reader.long()))
    }
  }
  return metadata
}

/** The digest of a file's content as in `Container.digest`. */
export function contentDigest(container: OpenContainer): string {
  const digest = createHash('sha256').update(container.schemaJson)
  for (const block of container.blocks) digest.update(block.rows)
  return digest.digest('hex')
}
