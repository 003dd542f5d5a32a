import { BatchWriter, stampBatch } from '../../log/batch/batch-writer.ts'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { ChangelogWriter, Entry, StateStore } from '../../state/store.ts'
import {
  decodeManifest,
  digest,
  encodeManifest,
  folderOf,
  MANIFEST,
  type Manifest,
  nameOf,
  offsetOfName,
  SEGMENT,
  type Segment,
  type SnapshotOf,
} from './manifest.ts'
import type { OpenedStore } from './snapshots.ts'

const bytesOf = (parts: readonly Buffer[]) => parts.reduce((sum, { length }) => sum + length, 0)

const BATCH_BYTES = 900_000
const SEGMENT_BYTES = 8 * 1024 * 1024
/** Changes wait in memory for the next snapshot up to this; more of them are written early. */
const MOST_CHANGES_BYTES = 32 * 1024 * 1024
/** Entries of a full snapshot that are written in one turn of the loop. */
const SLICE_ENTRIES = 2_000
/** A base is not written anew for changes of less than this. */
const LEAST_CHANGES_BYTES = 1024 * 1024
const KEPT_MANIFESTS = 2

/**
 * Keeps the snapshots of one store in one task. A snapshot is a base, which is a walk over all entries a slice at a time,
 * and after it the batches that commits have written to the changelog since: entries that change during the walk come
 * again with those. When the changes have grown beyond the base, a new base is begun.
 *
 * Only what is committed gets into a snapshot: a base may catch a value that is not, so its manifest waits for the first
 * commit that began after the walk.
 */
export interface Keeper {
  /** A commit has written this batch to the changelog, at this offset. The bytes are copied. */
  wrote(batch: Buffer, offset: number, records: number): void
  /** The commit with this number, counted from 1 by its begin, is done; `wrote` has been called for all of it. */
  committed(commit: number): void
  /**
   * Begins or goes on with what is due; never more than a few ms. `begun` commits have begun so far. True when there is
   * more to do at once, so that a job without records does not make one step per commit.
   */
  work(now: number, begun: number): boolean
  /**
   * Writes down what has changed since the last snapshot, and gives up a base that is half done; resolves when nothing is
   * under way any more.
   */
  finish(): Promise<void>
  /** Nothing more is written: the task does not run here any more. */
  drop(): void
}

export interface KeeperOptions {
  readonly of: SnapshotOf
  readonly store: StateStore
  /** Where the changelog stood when the task was opened. */
  readonly offset: number
  /** What it was opened from; without it the first snapshot is a base. */
  readonly snapshot: OpenedStore['snapshot']
  readonly to: SnapshotStore
  readonly intervalMs: number
  readonly nonce: () => string
  readonly onWritten: (bytes: number) => void
  readonly onFailed: (error: Error) => void
  readonly now: number
}

interface Walk {
  readonly entries: Iterator<Entry<unknown, unknown>>
  /** What had changed since the snapshot that there is, which goes on from there if this one comes to nothing. */
  readonly before: readonly Buffer[]
  readonly writer: BatchWriter
  readonly segments: Segment[]
  full: Buffer[]
  bytes: number
  /** Number of the commit that must be done before it may be used; set at the end of the walk. */
  usableAfter: number | undefined
}

export function createKeeper(options: KeeperOptions): Keeper {
  const { of, store, to, intervalMs, nonce } = options
  const folder = folderOf(of)
  let { offset } = options
  let manifest = options.snapshot?.manifest
  let written = options.now
  let changes: Buffer[] = [...(options.snapshot?.changes ?? [])]
  let changesBytes = bytesOf(changes)
  let walk: Walk | undefined
  let lastCommit = 0
  let writing: Promise<void> | undefined
  let dropped = false

  const record: ChangelogWriter = (key, value, timestamp) => {
    const { writer } = walk!
    if (writer.count > 0 && writer.size + key.position + (value?.position ?? 0) + 64 > BATCH_BYTES) finishBatch(walk!)
    writer.appendFrom(timestamp, key, value, [])
  }
  const finishBatch = (of: Walk) => {
    const batch = Buffer.from(of.writer.finish())
    of.full.push(batch)
    of.bytes += batch.length
  }
  /** One thing is written at a time; a failure is told, and tried again when the next snapshot is due. */
  const write = (work: () => Promise<void>) => {
    writing = work()
      .catch((error: Error) => {
        if (walk) abandon(walk)
        if (!dropped) options.onFailed(error)
      })
      .finally(() => {
        writing = undefined
      })
  }
  const putBack = (taken: readonly Buffer[]) => {
    changes = [...taken, ...changes]
    changesBytes = bytesOf(changes)
  }
  const abandon = ({ before }: Walk) => {
    walk = undefined
    putBack(before)
  }
  const idle = async () => {
    while (writing !== undefined) await writing
  }
  const segmentOf = async (parts: readonly Buffer[]): Promise<Segment> => {
    const bytes = Buffer.concat(parts)
    const segment = { name: `${nameOf(offset, nonce())}${SEGMENT}`, bytes: bytes.length, sha256: digest(bytes) }
    await to.write(`${folder}/${segment.name}`, bytes)
    options.onWritten(bytes.length)
    return segment
  }
  const publish = async (next: Manifest) => {
    if (dropped) return
    await to.write(`${folder}/${nameOf(next.offset, nonce())}${MANIFEST}`, encodeManifest(next))
    manifest = next
    await prune()
  }
  /** Older manifests go, and the segments that no newer one names. What is newer may be another's, and stays. */
  const prune = async () => {
    const names = await to.list(folder)
    const manifests = names.filter((name) => name.endsWith(MANIFEST)).sort()
    const old = manifests.slice(0, -KEPT_MANIFESTS)
    const kept = manifests.slice(-KEPT_MANIFESTS)
    if (old.length === 0) return
    const used = new Set(manifest!.segments.map(({ name }) => name))
    for (const name of kept) {
      const bytes = await to.read(`${folder}/${name}`)
      for (const segment of (bytes && decodeManifest(bytes, of))?.segments ?? []) used.add(segment.name)
    }
    const oldest = offsetOfName(kept[0])
    const stale = names.filter((name) => name.endsWith(SEGMENT) && !used.has(name) && offsetOfName(name) < oldest)
    await to.remove([...old, ...stale].map((name) => `${folder}/${name}`))
  }

  const writeChanges = () => {
    const taken = changes
    const at = offset
    changes = []
    changesBytes = 0
    write(async () => {
      try {
        const { segments, base } = manifest!
        await publish({ ...of, version: 1, offset: at, segments: [...segments, await segmentOf(taken)], base })
      } catch (error) {
        putBack(taken)
        throw error
      }
    })
  }
  const beginBase = () => {
    const before = changes
    // What has changed before is in the store; what a commit under way has changed comes with its batches, again.
    changes = []
    changesBytes = 0
    walk = {
      before,
      entries: (store.history?.() ?? store.all())[Symbol.iterator](),
      writer: new BatchWriter(64 * 1024),
      segments: [],
      full: [],
      bytes: 0,
      usableAfter: undefined,
    }
  }
  const continueBase = (of: Walk, begun: number) => {
    for (let n = 0; n < SLICE_ENTRIES; n++) {
      const next = of.entries.next()
      if (next.done) {
        if (of.writer.count > 0) finishBatch(of)
        of.usableAfter = begun + 1
        break
      }
      // What no commit has written yet comes with the one that does; and if it is gone by then, none ever tells of it.
      if (next.value.logged) store.writeEntry(next.value, record)
    }
    if (of.bytes < SEGMENT_BYTES && of.usableAfter === undefined) return
    const parts = of.full
    of.full = []
    of.bytes = 0
    if (parts.length > 0) write(async () => void of.segments.push(await segmentOf(parts)))
  }
  const endBase = ({ segments: base, before }: Walk) => {
    walk = undefined
    const taken = changes
    const at = offset
    changes = []
    changesBytes = 0
    write(async () => {
      try {
        const segments = taken.length > 0 ? [...base, await segmentOf(taken)] : base
        await publish({ ...of, version: 1, offset: at, segments, base: base.length })
      } catch (error) {
        putBack([...before, ...taken])
        throw error
      }
    })
  }
  const size = (segments: readonly Segment[]) => segments.reduce((sum, { bytes }) => sum + bytes, 0)
  const baseIsOld = ({ segments, base }: Manifest) => {
    const changed = size(segments.slice(base)) + changesBytes
    return changed > LEAST_CHANGES_BYTES && changed > size(segments.slice(0, base))
  }

  return {
    wrote(batch, at, records) {
      if (dropped) return
      const copy = Buffer.from(batch)
      stampBatch(copy, { producerId: -1, epoch: -1, sequence: -1, transactional: false, baseOffset: at })
      changes.push(copy)
      changesBytes += copy.length
      offset = Math.max(offset, at + records)
    },
    committed(commit) {
      lastCommit = commit
    },
    work(now, begun) {
      if (writing || dropped) return false
      if (walk !== undefined) {
        if (walk.usableAfter === undefined) continueBase(walk, begun)
        else if (lastCommit >= walk.usableAfter) endBase(walk)
        return walk !== undefined && walk.usableAfter === undefined
      }
      if (Math.abs(now - written) < intervalMs && changesBytes < MOST_CHANGES_BYTES) return false
      written = now
      if (manifest === undefined ? offset > 0 : baseIsOld(manifest)) beginBase()
      else if (manifest !== undefined && changesBytes > 0) writeChanges()
      return walk !== undefined
    },
    async finish() {
      await idle()
      if (dropped) return
      if (walk?.usableAfter !== undefined && lastCommit >= walk.usableAfter) endBase(walk)
      else if (manifest !== undefined) {
        // A base takes as long as it takes; the snapshot before it, and what has changed since, is there sooner.
        if (walk !== undefined) abandon(walk)
        if (changesBytes > 0) writeChanges()
      }
      await idle()
    },
    drop() {
      dropped = true
      walk = undefined
      changes = []
    },
  }
}
