import type { Logger } from 'pino'
import { MillraceError } from '../../errors.ts'
import { batchEnd } from '../../log/batch/batch-header.ts'
import { readBatch } from '../../log/batch/read-batch.ts'
import { PendingSchema } from '../../serde/serde.ts'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { StateStore } from '../../state/store.ts'
import type { Clock } from '../../time.ts'
import type { Patience } from '../patience.ts'
import { restoreStore } from '../task/restore.ts'
import { decodeManifest, digest, folderOf, MANIFEST, type Manifest, offsetOfName, type SnapshotOf } from './manifest.ts'

/** So much of a snapshot is kept from the check to its use; the rest is read twice. */
const KEPT_BYTES = 128 * 1024 * 1024

export interface LoadDependencies {
  readonly from: SnapshotStore
  readonly clock: Clock
  readonly patiently: Patience
  readonly logger: Logger
}

/**
 * Loads the newest snapshot that is whole, of this state, and within what the changelog still holds, into an empty store.
 * Returns it, or undefined when there is none: then the changelog is read from its start, which costs time only. A store
 * of snapshots that cannot be reached counts as empty.
 *
 * @param start first offset of the changelog, @param end its end
 */
export async function loadSnapshot(
  of: SnapshotOf,
  store: StateStore,
  { start, end }: { readonly start: number; readonly end: number },
  on: LoadDependencies,
): Promise<Manifest | undefined> {
  const { logger } = on
  const { changelog, partition } = of
  const found = await newestWhole(of, start, end, on)
  if (found === undefined) return undefined
  const records = await apply(found, of, store, on)
  const { offset } = found.manifest
  logger.info({ changelog, partition, snapshot: found.name, records, offset }, 'snapshot loaded')
  return found.manifest
}

interface Found {
  readonly name: string
  readonly manifest: Manifest
  /** Read already, as far as they fit into memory. */
  readonly segments: readonly (Buffer | undefined)[]
}

async function newestWhole(
  of: SnapshotOf,
  start: number,
  end: number,
  { from, logger }: LoadDependencies,
): Promise<Found | undefined> {
  const { changelog, partition } = of
  try {
    const names = (await from.list(folderOf(of))).filter((name) => name.endsWith(MANIFEST)).sort()
    for (const name of names.reverse()) {
      const offset = offsetOfName(name)
      // A changelog that was trimmed past it has a gap; one that ends before it is another log.
      const found = offset >= start && offset <= end ? await whole(name, of, from) : undefined
      if (found !== undefined) return found
      logger.warn({ changelog, partition, snapshot: name }, 'snapshot not usable: corrupt, partial or foreign')
    }
  } catch (error) {
    logger.warn({ err: error, changelog, partition }, 'snapshots cannot be read: restoring from the changelog')
  }
  return undefined
}

/** A snapshot whose every byte is as it was written; checked before any of it is applied. */
async function whole(name: string, of: SnapshotOf, from: SnapshotStore): Promise<Found | undefined> {
  const bytes = await from.read(`${folderOf(of)}/${name}`)
  const manifest = bytes && decodeManifest(bytes, of)
  if (!manifest) return undefined
  const segments: (Buffer | undefined)[] = []
  let room = KEPT_BYTES
  for (const { name: segment, bytes: size, sha256 } of manifest.segments) {
    const content = await from.read(`${folderOf(of)}/${segment}`)
    if (content?.length !== size || digest(content) !== sha256) return undefined
    room -= size
    segments.push(room >= 0 ? content : undefined)
  }
  return { name, manifest, segments }
}

async function apply({ manifest, segments }: Found, of: SnapshotOf, store: StateStore, on: LoadDependencies) {
  let records = 0
  for (const [i, { name }] of manifest.segments.entries()) {
    const path = `${folderOf(of)}/${name}`
    const bytes = segments[i] ?? (await on.patiently('snapshots', () => on.from.read(path)))
    if (bytes === undefined) throw new MillraceError('INTERNAL', `${path} went away while it was being restored from`)
    records += await applySegment(bytes, store, on.patiently)
    // A turn of the event loop between segments: heartbeats go on.
    await on.clock.breathe()
  }
  return records
}

async function applySegment(bytes: Buffer, store: StateStore, patiently: Patience): Promise<number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let records = 0
  for (let at = 0; at < bytes.length; at = batchEnd(bytes, at, bytes.length)) {
    const batch = readBatch(bytes, view, at, bytes.length)
    for (let done = false; !done; ) {
      try {
        // Again from the start of the batch after a schema was loaded: applying a record twice changes nothing.
        records += restoreStore(store, batch, 0)
        done = true
      } catch (thrown) {
        if (!(thrown instanceof PendingSchema)) throw thrown
        await patiently('registry', thrown.load)
      }
    }
  }
  return records
}
