import type { Log } from 'millrace'
import { embedded } from 'millrace/embedded'
import { kafka } from 'millrace/kafka'

/** Where the log of a run is. */
export type Place =
  | { readonly kind: 'kafka'; readonly brokers: readonly string[] }
  | { readonly kind: 'embedded'; readonly directory: string }

export const logAt = (place: Place): Log =>
  place.kind === 'kafka' ? kafka({ brokers: place.brokers }) : embedded(place.directory)

/** Connects, works, and closes again: the embedded log belongs to one process at a time. */
export async function withLog<T>(place: Place, work: (log: Log) => Promise<T>): Promise<T> {
  const log = logAt(place)
  await log.connect()
  try {
    return await work(log)
  } finally {
    await log.close()
  }
}
