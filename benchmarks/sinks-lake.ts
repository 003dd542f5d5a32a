/**
 * How fast the lake sink writes into a local directory, by codec: rows/s and MB/s of rows before compression, and the
 * CPU time of the process and of its main thread.
 *
 *     node benchmarks/sinks-lake.ts [rows per batch = 100000] [batches = 20]
 *
 * One JSON line per codec and run; the rows are transactions, ten fields, as in the transactions benchmark.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lake, lakeFiles } from '../src/sinks/lake/index.ts'
import type { SinkBatch, SinkContext } from '../src/sinks/sink.ts'

const rowsPerBatch = Number(process.argv[2] ?? 100_000)
const batches = Number(process.argv[3] ?? 20)
const runs = 3

const schema = {
  type: 'record',
  name: 'Transaction',
  fields: [
    { name: 'transaction_id', type: 'string' },
    { name: 'user_id', type: 'string' },
    { name: 'product_id', type: 'int' },
    { name: 'category', type: 'string' },
    { name: 'amount', type: 'double' },
    { name: 'currency', type: 'string' },
    { name: 'quantity', type: 'int' },
    { name: 'status', type: 'string' },
    { name: 'created_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'payment_method', type: ['null', 'string'], default: null },
  ],
}

const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!
/** Spreads small numbers: the multiplier of a linear congruential generator. */
const scatter = (i: number): number => (Math.imul(i, 1_664_525) + 1_013_904_223) >>> 8

function transaction(i: number) {
  const n = scatter(i)
  return {
    transaction_id: `txn-${i.toString(16).padStart(12, '0')}`,
    user_id: `user-${n % 100_000}`,
    product_id: n % 10_000,
    category: pick(['books', 'garden', 'electronics', 'toys', 'grocery', 'clothing', 'sports', 'music'], n),
    amount: (n % 50_000) / 100,
    currency: pick(['EUR', 'USD', 'GBP', 'CHF'], n >> 3),
    quantity: 1 + (n % 5),
    status: pick(['completed', 'completed', 'completed', 'pending', 'failed'], n >> 5),
    created_at: 1_750_000_020_000 + i,
    payment_method: n % 5 === 0 ? null : pick(['card', 'paypal', 'transfer', 'voucher'], n >> 7),
  }
}

function batch(number: number): SinkBatch<string, ReturnType<typeof transaction>> {
  const first = number * rowsPerBatch
  const values = Array.from({ length: rowsPerBatch }, (_, i) => transaction(first + i))
  return {
    range: { topic: 'transactions', partition: 0, firstOffset: first, lastOffset: first + rowsPerBatch - 1 },
    keys: values.map((value) => value.user_id),
    values,
    timestamps: values.map((value) => value.created_at),
    offsets: values.map((_, i) => first + i),
  }
}

const seconds = (used: { user: number; system: number }): number => (used.user + used.system) / 1e6

const context: SinkContext = { application: 'benchmark', log: () => {}, onRetry: () => {} }

for (let run = 0; run < runs; run++) {
  for (const codec of ['null', 'deflate'] as const) {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-lake-'))
    try {
      const sink = await lake({ to: directory, codec, schema }).open(context)
      let elapsed = 0
      let cpu = 0
      let mainThread = 0
      for (let number = 0; number < batches; number++) {
        const rows = batch(number) // outside the measurement
        const before = { time: performance.now(), cpu: process.cpuUsage(), mainThread: process.threadCpuUsage() }
        await sink.write(rows)
        elapsed += performance.now() - before.time
        cpu += seconds(process.cpuUsage(before.cpu))
        mainThread += seconds(process.threadCpuUsage(before.mainThread))
      }
      await sink.close()
      const size = (await lakeFiles({ to: directory })).reduce((sum, file) => sum + file.size, 0)
      const rows = rowsPerBatch * batches
      console.log(
        JSON.stringify({
          benchmark: 'sinks-lake',
          run,
          codec,
          rowsPerBatch,
          rows,
          rowsPerSecond: Math.round((rows / elapsed) * 1000),
          bytesPerRow: Math.round(size / rows),
          megabytesPerSecond: Math.round(size / elapsed / 1000),
          mainThreadSecondsPerMillion: Number(((mainThread / rows) * 1e6).toFixed(2)),
          cpuSecondsPerMillion: Number(((cpu / rows) * 1e6).toFixed(2)),
        }),
      )
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
