import { createHash } from 'node:crypto'

/** One file of a snapshot: record batches, one after the other, as they are on the changelog. */
export interface Segment {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** What a snapshot is of: only what agrees in all of it is used. */
export interface SnapshotOf {
  readonly application: string
  readonly changelog: string
  readonly partition: number
  /** Of the committed state, kept with the offsets: the same topic names on another cluster have another. */
  readonly identity: string
}

/** A whole snapshot: its segments in the order in which they are applied, and where the changelog goes on. */
export interface Manifest extends SnapshotOf {
  readonly version: 1
  /** Changelog offset of the first record that is not in it. */
  readonly offset: number
  readonly segments: readonly Segment[]
  /** How many of the segments, from the first on, are the base; what follows are changes to it. */
  readonly base: number
}

export const MANIFEST = '.manifest.json'
export const SEGMENT = '.segment'

/** Where the snapshots of one changelog partition lie. */
export const folderOf = ({ application, changelog, partition }: SnapshotOf): string =>
  `${application}/${changelog}/${partition}`

/** Names sort by offset. `nonce` keeps two writers apart. */
export const nameOf = (offset: number, nonce: string): string => `${String(offset).padStart(16, '0')}-${nonce}`

/** The offset that a name begins with; -1 for a file that is none of ours. */
export function offsetOfName(name: string): number {
  return /^\d{16}-/.test(name) ? Number(name.slice(0, 16)) : -1
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export function encodeManifest(manifest: Manifest): Buffer {
  const body = JSON.stringify(manifest)
  return Buffer.from(`${body}\n${digest(Buffer.from(body))}\n`)
}

/** undefined when it is not whole, or not of what it should be. */
export function decodeManifest(bytes: Buffer, of: SnapshotOf): Manifest | undefined {
  const [body, checksum] = bytes.toString().split('\n')
  if (checksum !== digest(Buffer.from(body))) return undefined
  const manifest = JSON.parse(body) as Manifest
  const same =
    manifest.version === 1 &&
    manifest.application === of.application &&
    manifest.changelog === of.changelog &&
    manifest.partition === of.partition &&
    manifest.identity === of.identity
  return same ? manifest : undefined
}
