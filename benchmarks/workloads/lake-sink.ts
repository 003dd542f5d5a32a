import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SinkContext } from 'millrace'
import { lake, lakeFiles } from 'millrace/lake'
import { Stopped } from '../suite/stopwatch.ts'
import type { Measured, Workload } from '../suite/workload.ts'
import { batches } from '../transactions/rows.ts'
import { transactionSchema } from '../transactions/schemas.ts'

const context: SinkContext = { application: 'bench', log: () => {}, onRetry: () => {} }

/** The lake sink alone, into a local directory, by codec: rows of ten fields. */
export const lakeSink: Workload = {
  name: 'lake-sink',
  summary: 'rows into Avro files in a local directory, by codec',
  records: 2_000_000,
  smokeRecords: 20_000,
  onLog: false,
  async measure({ records, seed }) {
    const n = records!
    const lines: Measured[] = []
    for (const codec of ['null', 'deflate'] as const) {
      const directory = mkdtempSync(join(tmpdir(), 'millrace-lake-'))
      try {
        const sink = await lake({ to: directory, codec, schema: transactionSchema }).open(context)
        const watch = new Stopped()
        for (const batch of batches(n, seed)) await watch.during(() => sink.write(batch))
        await sink.close()
        const bytes = (await lakeFiles({ to: directory })).reduce((sum, file) => sum + file.size, 0)
        const mb_per_s = Number((bytes / watch.seconds / 1e6).toFixed(1))
        lines.push({ variant: `lake-sink ${codec}`, n, seconds: watch.seconds, cpu_s: watch.cpu_s, mb_per_s })
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    }
    return lines
  },
}
