/** A thread like scripts/simulate/seeds.ts that says which it is; its seed 7 loops on promises alone, its seed 20 is slow. */
import { parentPort, threadId, workerData } from 'node:worker_threads'
import type { Share } from '../../scripts/simulate/seeds.ts'
import { Progress } from '../../scripts/simulate/watched.ts'

const progress = new Progress(workerData as SharedArrayBuffer)
parentPort!.on('message', async ({ name, first, end }: Share) => {
  for (let seed = first; seed < end; seed++) {
    progress.begin(seed)
    while (seed === 7) await Promise.resolve()
    for (const since = performance.now(); seed === 20 && performance.now() - since < 2_000; ) progress.moment()
  }
  parentPort!.postMessage({ name, seeds: end - first, threadId })
})
