/**
 * Rates of the generated Avro decoder and encoder against avsc's `fromBuffer` and `toBuffer`, on the records of a
 * transaction topic, in one process, round about: `node benchmarks/micro/avro.ts [rounds]`.
 */
import avsc from 'avsc'
import { compileDecoder } from '../../src/serde/avro/decoder.ts'
import { compileEncoder } from '../../src/serde/avro/encoder.ts'
import { resolve } from '../../src/serde/avro/resolve.ts'
import { parseSchema } from '../../src/serde/avro/schema.ts'
import { ByteWriter, byteSource } from '../../src/serde/bytes.ts'

const transaction = {
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
} as const

const revenue = {
  type: 'record',
  name: 'Revenue',
  fields: [
    { name: 'user_id', type: 'string' },
    { name: 'window_start', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'window_end', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'count', type: 'int' },
    { name: 'revenue', type: 'double' },
  ],
} as const

/** What a version earlier wrote: one field fewer, one int that has become a long. */
const evolved = {
  ...transaction,
  fields: [
    ...transaction.fields.map((field) => (field.name === 'quantity' ? { ...field, type: 'long' } : field)),
    { name: 'note', type: 'string', default: 'none' },
  ],
}

const count = 1_000
const time = 1_700_000_000_000
const transactions = Array.from({ length: count }, (_, i) => ({
  transaction_id: `t-${String(i).padStart(10, '0')}`,
  user_id: `user-${String((i * 7919) % 100_000).padStart(5, '0')}`,
  product_id: (i * 31) % 5_000,
  category: ['books', 'games', 'garden', 'music', 'toys'][i % 5],
  amount: Math.round((i * 37) % 50_000) / 100,
  currency: 'EUR',
  quantity: (i % 9) + 1,
  status: i % 10 ? 'completed' : 'pending',
  created_at: time + i * 13,
  payment_method: i % 3 ? 'card' : null,
}))
const revenues = Array.from({ length: count }, (_, i) => ({
  user_id: `user-${String((i * 7919) % 100_000).padStart(5, '0')}`,
  window_start: time + (i % 60) * 60_000,
  window_end: time + (i % 60) * 60_000 + 60_000,
  count: i % 50,
  revenue: i * 1.25,
}))

const theirs = avsc.Type.forSchema(transaction as unknown as avsc.Schema)
const theirsEvolved = avsc.Type.forSchema(evolved as unknown as avsc.Schema)
const resolver = theirsEvolved.createResolver(theirs)
const theirRevenue = avsc.Type.forSchema(revenue as unknown as avsc.Schema)

const type = parseSchema(transaction)
const decode = compileDecoder(resolve(type, type))
const decodeEvolved = compileDecoder(resolve(type, parseSchema(evolved)))
const encode = compileEncoder(type)
const encodeRevenue = compileEncoder(parseSchema(revenue))

const bodies = transactions.map((value) => theirs.toBuffer(value))
const batch = Buffer.concat(bodies)
let length = 0
const ends = bodies.map((body) => (length += body.length))
const out = new ByteWriter(1 << 20)

/** Something that depends on every value made, so that none is optimised away. */
let seen = 0

/** Once over a batch, as it comes from the log: its text is made once for all of its records. */
function ourDecoding(decoder: typeof decode): void {
  const source = byteSource(batch)
  let start = 0
  for (const end of ends) {
    seen += (decoder(source, start, end) as { quantity: number }).quantity
    start = end
  }
}

function avscDecoding(read: (bytes: Buffer) => { quantity: number }): void {
  let start = 0
  for (const end of ends) {
    seen += read(batch.subarray(start, end)).quantity
    start = end
  }
}

const contests: readonly (readonly [name: string, ours: () => void, avsc: () => void])[] = [
  ['decode, 10 fields', () => ourDecoding(decode), () => avscDecoding((bytes) => theirs.fromBuffer(bytes))],
  [
    'decode, evolved schema',
    () => ourDecoding(decodeEvolved),
    () => avscDecoding((bytes) => theirsEvolved.fromBuffer(bytes, resolver)),
  ],
  [
    'encode, 10 fields',
    () => {
      out.reset()
      for (const value of transactions) encode(value, out)
      seen += out.position
    },
    () => {
      for (const value of transactions) seen += theirs.toBuffer(value).length
    },
  ],
  [
    'encode, 5 fields',
    () => {
      out.reset()
      for (const value of revenues) encodeRevenue(value, out)
      seen += out.position
    },
    () => {
      for (const value of revenues) seen += theirRevenue.toBuffer(value).length
    },
  ],
]

const rounds = Number(process.argv[2] ?? 5)
const repetitions = 300

/** CPU seconds of this process per million records. */
function perMillion(work: () => void): number {
  const before = process.cpuUsage()
  for (let i = 0; i < repetitions; i++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (repetitions * count)
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]

const table = contests.map(([name, ours, others]) => {
  perMillion(ours)
  perMillion(others)
  const pairs = Array.from({ length: rounds }, () => [perMillion(ours), perMillion(others)] as const)
  const our = median(pairs.map(([first]) => first))
  const their = median(pairs.map(([, second]) => second))
  return {
    '': name,
    'ours, CPU s per million': our.toFixed(3),
    'avsc, CPU s per million': their.toFixed(3),
    'times faster': (their / our).toFixed(2),
  }
})
console.table(table)
if (!Number.isFinite(seen)) throw new Error('nothing was decoded')
