import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { avro, type SinkContext, string } from 'millrace'
import { clickhouse, embeddedClickHouse } from 'millrace/clickhouse'
import { Stopped } from '../suite/stopwatch.ts'
import type { Measured, Workload } from '../suite/workload.ts'
import type { Transaction } from '../transactions/generate.ts'
import { batches } from '../transactions/rows.ts'
import { transactionSchema } from '../transactions/schemas.ts'

const context: SinkContext = {
  application: 'bench',
  key: string(),
  value: avro<Transaction>(transactionSchema),
  log: () => {},
  onRetry: () => {},
}

/** The ClickHouse sink alone, into the embedded engine in a child process, whose CPU time is not counted. */
export const clickhouseSink: Workload = {
  name: 'clickhouse-sink',
  summary: 'rows of ten fields into ClickHouse (embedded), upsert and append',
  records: 1_000_000,
  smokeRecords: 20_000,
  onLog: false,
  async measure({ records, seed }) {
    const n = records!
    const lines: Measured[] = []
    const directory = mkdtempSync(join(tmpdir(), 'millrace-clickhouse-'))
    const server = await embeddedClickHouse({ path: directory })
    try {
      for (const mode of ['upsert', 'append'] as const) {
        const { url } = server
        const key = (transaction: string) => ({ transaction })
        const sink = await clickhouse<string, Transaction>({ table: mode, mode, url, create: true, key }).open(context)
        const watch = new Stopped()
        let refused = 0
        for (const batch of batches(n, seed)) {
          refused += (await watch.during(() => sink.write(batch)))?.length ?? 0
        }
        await sink.close()
        const rows = await fetch(`${url}/?query=${encodeURIComponent(`SELECT count() FROM ${mode}`)}`)
        const found = Number(await rows.text())
        if (refused > 0 || (mode === 'append' && found !== n))
          throw new Error(`${found} rows of ${n}, ${refused} refused`)
        lines.push({ variant: `clickhouse-sink ${mode}`, n, seconds: watch.seconds, cpu_s: watch.cpu_s })
      }
    } finally {
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    }
    return lines
  },
}
