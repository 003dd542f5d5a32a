/** A job for threads that says whether any of them joins its group before all could. */
import { json, stream, string, type Thread, type ThreadJob, to, topology } from '../../../src/index.ts'
import { embedded } from '../../../src/log/embedded/embedded.ts'
import type { Log } from '../../../src/log/log.ts'

export interface JoiningData {
  /** A log for each thread: they do not meet, and each has all tasks. */
  readonly directories: readonly string[]
  readonly seen: Int32Array
}

/** Places in `seen`: how many threads have a producer, how many have joined, and how many of these too early. */
export const READY = 0
export const JOINED = 1
export const EARLY = 2

export default async function joining({ index, threads, data }: Thread<JoiningData>): Promise<ThreadJob> {
  const { directories, seen } = data
  // The last one comes when the others have long been able to join.
  if (index === threads - 1) {
    while (Atomics.load(seen, READY) < threads - 1) await new Promise(setImmediate)
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  }
  const log = embedded(directories[index])
  const watched: Log = {
    kind: log.kind,
    admin: log.admin,
    connect: () => log.connect(),
    close: () => log.close(),
    reader: (options) => log.reader(options),
    producer(options) {
      const producer = log.producer(options)
      const init = producer.init.bind(producer)
      producer.init = async () => {
        await init()
        Atomics.add(seen, READY, 1)
      }
      return producer
    },
    group(options) {
      const group = log.group(options)
      const join = group.join.bind(group)
      group.join = () => {
        if (Atomics.load(seen, READY) < threads) Atomics.add(seen, EARLY, 1)
        Atomics.add(seen, JOINED, 1)
        return join()
      }
      return group
    },
  }
  return {
    topology: topology('joining', [
      stream('joining-in', { key: string(), value: json<string>() }).pipe(
        to('joining-out', { key: string(), value: json<string>() }),
      ),
    ]),
    options: { log: watched, createTopics: true, logger: false },
  }
}
