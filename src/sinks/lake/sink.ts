import { isRetriable } from '../../errors.ts'
import type { RefusedRow, Sink, SinkBatch } from '../sink.ts'
import { type FileFormat, filesOfBatch, type LakeFileContent } from './files-of-batch.ts'
import type { LakeStore } from './store.ts'

/** A sink that writes each batch as files into a store, a bounded number at a time. */
export function lakeSink<K, V>(store: LakeStore, format: FileFormat, uploads: number): Sink<K, V> {
  return {
    async write(batch: SinkBatch<K, V>) {
      const refused: RefusedRow[] = []
      await eachOf(filesOfBatch(batch, format, refused), uploads, ({ path, object }) => store.put(path, object))
      return refused.sort((a, b) => a.index - b.index)
    },
    async close() {
      store.close()
    },
  }
}

/**
 * Works on the files as they come, at most `limit` at once, so that no more than these are in memory. Resolves or
 * rejects when nothing is under way any more; an error that waiting does not cure goes before one that it does.
 */
async function eachOf(
  files: AsyncIterable<LakeFileContent>,
  limit: number,
  work: (file: LakeFileContent) => Promise<unknown>,
): Promise<void> {
  const underWay = new Set<Promise<unknown>>()
  const errors: unknown[] = []
  try {
    for await (const file of files) {
      const job: Promise<unknown> = work(file)
        .catch((error: unknown) => errors.push(error))
        .finally(() => underWay.delete(job))
      underWay.add(job)
      if (underWay.size >= limit) await Promise.race(underWay)
      if (errors.length > 0) break
    }
  } finally {
    await Promise.all(underWay)
  }
  if (errors.length > 0) throw errors.find((error) => !isRetriable(error)) ?? errors[0]
}
