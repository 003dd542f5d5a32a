import { MillraceError } from '../../errors.ts'
import { contentDigest, type OpenContainer, openContainer } from './container-reader.ts'
import type { LakeObject } from './store.ts'

/**
 * Returns when the bytes that lie at `place` hold what `object` holds; otherwise throws `SINK_REFUSED`. Equal content
 * may have other bytes, where another version of zlib wrote it.
 */
export function assertSameContent(there: Buffer, object: LakeObject, place: string): void {
  if (there.equals(object.bytes)) return
  let existing: OpenContainer
  try {
    existing = openContainer(there, place)
  } catch (cause) {
    throw new MillraceError('SINK_REFUSED', `${place} exists, but is not a whole Avro file of this sink`, {
      cause,
      hint: 'move it away; the rows that belong there are then written again',
    })
  }
  if (contentDigest(existing) === object.digest) return
  const ours = openContainer(object.bytes, place)
  throw existing.schemaJson === ours.schemaJson ? otherRows(place) : otherSchema(place)
}

function otherSchema(place: string): MillraceError {
  return new MillraceError('SINK_REFUSED', `${place} exists, written from the same offsets under another schema`, {
    hint:
      'the schema changed between a crash and this restart: delete the file, and its rows are written again with ' +
      'the new schema; or restart once with the old one',
  })
}

function otherRows(place: string): MillraceError {
  return new MillraceError('SINK_REFUSED', `${place} exists with other rows from the same offsets`, {
    hint:
      'either another application writes here (give one of them another prefix or topic), or the source topic was ' +
      'created anew (move its old files away), or the topology does not make the same rows of the same records ' +
      '(clocks, random numbers; delete the file, and its rows are written again)',
  })
}
