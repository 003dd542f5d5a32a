import { BatchWriter } from 'millrace/testing'
import { readBatch } from '../../src/log/batch/read-batch.ts'
import { stopwatch } from '../suite/stopwatch.ts'
import type { Measured, Workload } from '../suite/workload.ts'

const PER_BATCH = 1_000
const SIZES = [20, 100, 1_000, 10_000]
const START = 1_750_000_020_000
const HEADERS = [['origin', Buffer.from('bench')] as const]

/** The codec of record batches: written, and laid open again with their CRC checked; MB/s beside records/s. */
export const microBatches: Workload = {
  name: 'micro-batches',
  summary: 'the codec of record batches: write, read with CRC, read headers, by size of a value',
  records: 1_000_000,
  smokeRecords: 50_000,
  onLog: false,
  async measure({ records }) {
    const lines: Measured[] = []
    for (const size of SIZES) {
      const rounds = Math.max(3, Math.round(Math.min(records!, (records! * 200) / size) / PER_BATCH))
      const value = Buffer.alloc(size, 'x')
      const keys = Array.from({ length: PER_BATCH }, (_, i) => Buffer.from(`key-${i}`))
      const writer = new BatchWriter(PER_BATCH * (size + 40))
      const write = (headers: typeof HEADERS | readonly [] = []) => {
        for (let i = 0; i < PER_BATCH; i++) writer.append(START + i, keys[i], value, headers)
        return writer.finish()
      }
      const add = (what: string, work: () => number) => {
        let bytes = 0
        for (let i = 0; i < rounds / 10; i++) work()
        const watch = stopwatch()
        for (let i = 0; i < rounds; i++) bytes += work()
        const { seconds, cpu_s } = watch.read()
        const mb_per_s = Math.round(bytes / seconds / 1e6)
        lines.push({ variant: `micro-batches ${what} ${size}`, n: rounds * PER_BATCH, seconds, cpu_s, mb_per_s })
      }
      add('write', () => write().length)
      const plain = Buffer.from(write())
      add('read', () => read(plain))
      const headed = Buffer.from(write(HEADERS))
      add('read headers', () => read(headed, true))
    }
    return lines
  },
}

function read(bytes: Buffer, withHeaders = false): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const batch = readBatch(bytes, view, 0, bytes.length)
  let seen = 0
  for (let i = 0; i < batch.count; i++) {
    seen += batch.valueEnd[i] - batch.keyStart[i] + batch.offsets[i]
    if (withHeaders) seen += batch.headers(i).length
  }
  if (!(seen > 0)) throw new Error('nothing was read')
  return bytes.length
}
