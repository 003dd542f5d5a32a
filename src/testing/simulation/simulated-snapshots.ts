import { MillraceError } from '../../errors.ts'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { Faults } from './faults.ts'
import { fateOf, type Life } from './life.ts'
import type { Random } from './random.ts'

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

/** The same as one instance sees it: slow, away at times, and now and then an object is written cut short. */
export function simulatedSnapshots(
  inner: SnapshotStore,
  life: Life,
  random: Random,
  faults: () => Faults,
): SnapshotStore {
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    await life.gate()
    await life.delay(faults().sinkLatencyMs)
    const { sinkUnavailable: unavailable, sinkLostAnswers: lostAnswers } = faults()
    const fate = fateOf(random, { unavailable, lostAnswers })
    const answer = fate === 'unavailable' ? undefined : await work()
    if (fate === 'done') return answer as T
    throw new MillraceError('UNAVAILABLE', 'simulated: the snapshots gave no answer', { retriable: true })
  }
  return {
    location: inner.location,
    open: () => inner.open(),
    list: (folder) => call(() => inner.list(folder)),
    write: (path, bytes) =>
      call(() => inner.write(path, random.chance(faults().cutSnapshots) ? bytes.subarray(0, bytes.length / 2) : bytes)),
    read: (path) => call(() => inner.read(path)),
    remove: (paths) => call(() => inner.remove(paths)),
    close() {},
  }
}
