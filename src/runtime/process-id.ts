import { randomUUID } from 'node:crypto'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'

const KEY = 'millrace.process'

/** One id for all workers of this process, those in worker threads included: they inherit what was set before them. */
export function processId(): string {
  const known = getEnvironmentData(KEY)
  if (typeof known === 'string') return known
  const id = randomUUID()
  setEnvironmentData(KEY, id)
  return id
}
