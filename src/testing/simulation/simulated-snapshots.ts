import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { Link } from './link.ts'

/** Snapshots in memory, shared by all instances. */
export function memorySnapshots(): SnapshotStore {
  const objects = new Map<string, Buffer>()
  return {
    location: 'memory',
    open: async () => {},
    async list(folder) {
      const prefix = `${folder}/`
      return [...objects.keys()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length))
    },
    write: async (path, bytes) => void objects.set(path, Buffer.from(bytes)),
    read: async (path) => objects.get(path),
    async remove(paths) {
      for (const path of paths) objects.delete(path)
    },
    close() {},
  }
}

/**
 * The same as one instance sees it: slow, away at times, and now and then an object is written cut short.
 *
 * @param isCut - whether the object that is being written is cut
 */
export function simulatedSnapshots(inner: SnapshotStore, link: Link, isCut: () => boolean): SnapshotStore {
  const call = <T>(what: string, work: () => Promise<T>) => link.call(`snapshots ${what}`, work, true)
  return {
    location: inner.location,
    open: () => inner.open(),
    list: (folder) => call('list', () => inner.list(folder)),
    write: (path, bytes) =>
      call('write', () => inner.write(path, isCut() ? bytes.subarray(0, bytes.length / 2) : bytes)),
    read: (path) => call('read', () => inner.read(path)),
    remove: (paths) => call('remove', () => inner.remove(paths)),
    close() {},
  }
}
