import type { Log } from 'millrace'
import { withLog } from '../suite/place.ts'
import type { Measure } from '../suite/run-workload.ts'

/** Adds, to what is measured, the seconds from the start of the process until a committed reader has its first result. */
export const withFirstResult =
  (measure: Measure): Measure =>
  (workload, settings) =>
    withLog(settings.place, async (log) => {
      const measured = new AbortController()
      const began = performance.now()
      const result = untilFirst(log, workload.topicsOf!(settings).output, measured.signal)
      const measuring = measure(workload, settings).finally(() => measured.abort())
      // Both are waited for, so that nothing reads any more when the log is closed.
      const [at] = await Promise.all([result, measuring.catch(() => {})])
      const answer = await measuring
      if ('error' in answer || at === undefined) return answer
      return { ...answer, lines: answer.lines.map((line) => ({ ...line, first_result_s: round((at - began) / 1000) })) }
    })

async function untilFirst(log: Log, topic: string, signal: AbortSignal): Promise<number | undefined> {
  const count = (await log.admin.partitions([topic])).get(topic) ?? 0
  const positions = Array.from({ length: count }, (_, partition) => ({ topic, partition, offset: 0 }))
  const reader = log.reader({ isolation: 'committed' })
  try {
    while (!signal.aborted) {
      const fetched = await reader.fetch(positions, {
        maxBytes: 1 << 16,
        maxBytesPerPartition: 1 << 14,
        maxWaitMs: 500,
        signal,
      })
      if (fetched.some(({ batches }) => batches.some((batch) => batch.count > 0))) return performance.now()
      for (const { partition, next } of fetched) positions[partition].offset = next
    }
  } finally {
    await reader.close()
  }
  return undefined
}

const round = (x: number) => Number(x.toFixed(3))
