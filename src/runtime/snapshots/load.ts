import type { Logger } from 'pino'
import { batchEnd } from '../../log/batch/batch-header.ts'
import { readBatch } from '../../log/batch/read-batch.ts'
import { byteSource } from '../../serde/bytes.ts'
import { PendingSchema } from '../../serde/serde.ts'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { Entry, StateStore } from '../../state/store.ts'
import type { Clock } from '../../time.ts'
import type { Patience } from '../patience.ts'
import { restoreStore } from '../task/restore.ts'
import {
  decodeManifest,
  digest,
  folderOf,
  MANIFEST,
  type Manifest,
  offsetOfName,
  type Segment,
  type SnapshotOf,
} from './manifest.ts'

/** So many entries are taken out at once. */
const CLEARED_AT_ONCE = 10_000

export interface LoadDependencies {
  readonly from: SnapshotStore
  readonly clock: Clock
  readonly patiently: Patience
  readonly logger: Logger
  /** Called before others have a turn. */
  readonly onTurn?: () => void
}

/**
 * Loads the newest snapshot that is whole, of this state, and within what the changelog still holds, into an empty store.
 * Returns it, or undefined when there is none: then the changelog is read from its start, which costs time only. A store
 * of snapshots that cannot be reached counts as empty.
 *
 * Segments are applied as they come, each once its checksum is right; the next one is read meanwhile. Of a snapshot that turns
 * out not to be whole nothing stays.
 *
 * @param start first offset of the changelog, @param end its end
 */
export async function loadSnapshot(
  of: SnapshotOf,
  store: StateStore,
  { start, end }: { readonly start: number; readonly end: number },
  on: LoadDependencies,
): Promise<Manifest | undefined> {
  const { logger, from } = on
  const { changelog, partition } = of
  try {
    const names = (await reading(from.list(folderOf(of)))).filter((name) => name.endsWith(MANIFEST)).sort()
    for (const name of names.reverse()) {
      const offset = offsetOfName(name)
      // A changelog that was trimmed past it has a gap; one that ends before it is another log.
      const bytes = offset >= start && offset <= end ? await reading(from.read(`${folderOf(of)}/${name}`)) : undefined
      const manifest = bytes && decodeManifest(bytes, of)
      const records = manifest && (await apply(manifest, of, store, on))
      if (records !== undefined) {
        logger.info({ changelog, partition, snapshot: name, records, offset }, 'snapshot loaded')
        return manifest
      }
      logger.warn({ changelog, partition, snapshot: name }, 'snapshot not usable: corrupt, partial or foreign')
    }
  } catch (error) {
    if (!(error instanceof UnreadableSnapshots)) throw error
    clear(store)
    logger.warn({ err: error.cause, changelog, partition }, 'snapshots cannot be read: restoring from the changelog')
  }
  return undefined
}

/** The number of records, or undefined when the snapshot is not whole; then the store is empty again. */
async function apply({ segments }: Manifest, of: SnapshotOf, store: StateStore, on: LoadDependencies) {
  const read = async ({ name, bytes, sha256 }: Segment): Promise<Buffer | undefined> => {
    const content = await reading(on.from.read(`${folderOf(of)}/${name}`))
    return content?.length === bytes && digest(content) === sha256 ? content : undefined
  }
  let records = 0
  let next = segments.length > 0 ? read(segments[0]) : undefined
  for (let i = 0; i < segments.length; i++) {
    const content = await next
    if (content === undefined) {
      clear(store)
      return undefined
    }
    next = i + 1 < segments.length ? read(segments[i + 1]) : undefined
    // It is awaited when its turn comes; that it failed must not be reported as nobody's before.
    next?.catch(() => {})
    records += await applySegment(content, store, on.patiently)
    // A turn of the event loop between segments: heartbeats go on.
    on.onTurn?.()
    await on.clock.breathe()
  }
  return records
}

/** Takes everything out again, as the changelog would delete it. */
function clear(store: StateStore): void {
  for (;;) {
    const some: Entry<unknown, unknown>[] = []
    for (const entry of store.history?.() ?? store.all()) {
      some.push(entry)
      if (some.length === CLEARED_AT_ONCE) break
    }
    if (some.length === 0) return
    for (const entry of some) {
      store.writeEntry(entry, (key, _, timestamp) => {
        const bytes = Uint8Array.from(key.bytes())
        store.restore(byteSource(bytes), 0, bytes.length, -1, -1, timestamp)
      })
    }
  }
}

/** Where snapshots are kept cannot be read: they do without, whatever it is. */
class UnreadableSnapshots extends Error {}

const reading = <T>(what: Promise<T>): Promise<T> =>
  what.catch((cause) => Promise.reject(new UnreadableSnapshots('', { cause })))

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
