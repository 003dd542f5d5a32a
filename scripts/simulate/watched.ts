import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Share, Tried } from './seeds.ts'

/** What a thread writes down while it runs, for the one that watches it: a loop of promises alone answers nobody. */
export class Progress {
  private readonly numbers: Int32Array

  constructor(shared = new SharedArrayBuffer(8)) {
    this.numbers = new Int32Array(shared)
  }

  get shared(): SharedArrayBuffer {
    return this.numbers.buffer as SharedArrayBuffer
  }

  get seed(): number {
    return Atomics.load(this.numbers, 0)
  }

  /** Calls and faults so far; what time goes by without them is short. */
  get moments(): number {
    return Atomics.load(this.numbers, 1)
  }

  begin(seed: number): void {
    Atomics.store(this.numbers, 0, seed)
    this.moment()
  }

  readonly moment = (): void => {
    Atomics.add(this.numbers, 1, 1)
  }
}

/** What is tried first is the quiet run. */
export const NO_SEED = -1

/** A thread that tries seeds, and is ended when it gets no further. */
export interface Watched {
  /** What came of it, or the seed at which it has stood still for longer than it may. */
  try(share: Share): Promise<Tried | { readonly stuckAt: number }>
  close(): Promise<void>
}

export interface WatchedOptions {
  /** Answers each `Share` with a `Tried`; finds the `Progress` in its `workerData`. */
  readonly script: URL
  /** Real time without progress of a run, ms. */
  readonly patienceMs: number
  readonly youngMb: number
}

export function watched({ script, patienceMs, youngMb }: WatchedOptions): Watched {
  let worker: Worker | undefined
  let progress = new Progress()
  const start = () => {
    progress = new Progress()
    const resourceLimits = { maxYoungGenerationSizeMb: youngMb }
    return new Worker(script, { resourceLimits, workerData: progress.shared })
  }
  return {
    async try(share) {
      const thread = (worker ??= start())
      progress.begin(NO_SEED)
      const { promise, resolve, reject } = Promise.withResolvers<Tried>()
      thread.once('message', resolve).once('error', reject).postMessage(share)
      const over = new AbortController()
      const end = async () => {
        worker = undefined
        await thread.terminate()
      }
      try {
        const outcome = await Promise.race([promise, untilStuck(progress, patienceMs, over.signal)])
        if ('stuckAt' in outcome) await end()
        return outcome
      } catch (error) {
        await end()
        throw error
      } finally {
        over.abort()
        thread.off('message', resolve).off('error', reject)
      }
    },
    async close() {
      await worker?.terminate()
    },
  }
}

async function untilStuck(progress: Progress, patienceMs: number, signal: AbortSignal): Promise<{ stuckAt: number }> {
  let last = -1
  for (let since = performance.now(); performance.now() - since < patienceMs; ) {
    const { moments } = progress
    if (moments !== last) since = performance.now()
    last = moments
    await pause(Math.min(patienceMs / 10, 1_000), undefined, { signal }).catch(() => {})
    if (signal.aborted) break
  }
  return { stuckAt: progress.seed }
}
