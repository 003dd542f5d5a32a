import avsc from 'avsc'
import { avro, type Serde } from 'millrace'
import { ByteWriter } from 'millrace/testing'
import { stopwatch } from '../suite/stopwatch.ts'
import type { Measured, Workload } from '../suite/workload.ts'
import { type Transaction, transactions } from '../transactions/generate.ts'
import { registry, transactionSchema } from '../transactions/schemas.ts'

/** Records of one batch; the whole is done over and over. */
const BATCH = 1_000
const HEADER = 5

/** What a version earlier wrote: a field fewer, an int that has become a long. */
const evolvedSchema = {
  ...transactionSchema,
  fields: [
    ...transactionSchema.fields.map((field) => (field.name === 'quantity' ? { ...field, type: 'long' } : field)),
    { name: 'note', type: 'string', default: 'none' },
  ],
} as const

/** The generated Avro codecs against avsc's, on transactions of ten fields, in one process, in turns. */
export const avroCodec: Workload = {
  name: 'avro-codec',
  summary: 'the generated Avro codecs against avsc',
  records: 300_000,
  smokeRecords: 20_000,
  onLog: false,
  async measure({ records, seed }) {
    const values = [...transactions(BATCH, seed)]
    const rounds = Math.max(1, Math.round(records! / BATCH))
    const contests = [decoding(values, false), decoding(values, true), encoding(values)]
    const lines: Measured[] = []
    for (const { name, ours, theirs } of contests) {
      for (const work of [ours, theirs]) for (let i = 0; i < rounds / 10; i++) work()
      for (const [peer, work] of [
        ['millrace', ours],
        ['avsc', theirs],
      ] as const) {
        const watch = stopwatch()
        for (let i = 0; i < rounds; i++) work()
        const { seconds, cpu_s } = watch.read()
        lines.push({ peer, variant: `avro-codec ${name}`, n: rounds * BATCH, seconds, cpu_s })
      }
    }
    if (!Number.isFinite(seen)) throw new Error('nothing was decoded')
    return lines
  },
}

/** Depends on every value made, so that none is optimised away. */
let seen = 0

const codecOf = <T>(serde: Serde<T>) => serde.open({ topic: 'bench', part: 'value', registry: registry() })

function decoding(values: readonly Transaction[], evolves: boolean) {
  const writer = avsc.Type.forSchema(structuredClone(transactionSchema) as unknown as avsc.Schema)
  const reader = evolves ? avsc.Type.forSchema(structuredClone(evolvedSchema) as unknown as avsc.Schema) : writer
  const resolver = evolves ? reader.createResolver(writer) : undefined
  const bodies = values.map((value) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), writer.toBuffer(value)]))
  const buffer = Buffer.concat(bodies)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
  let length = 0
  const ends = bodies.map((body) => (length += body.length))
  const codec = codecOf(avro<Transaction>(evolves ? evolvedSchema : transactionSchema))
  return {
    name: evolves ? 'decode evolved' : 'decode',
    /** As it comes from the log: the text of a batch is made once for all of its records. */
    ours() {
      const source = { buffer, view, text: buffer.latin1Slice(0, buffer.length), base: 0 }
      let start = 0
      for (const end of ends) {
        seen += codec.decode(source, start, end).quantity
        start = end
      }
    },
    theirs() {
      let start = 0
      for (const end of ends) {
        seen += reader.fromBuffer(buffer.subarray(start + HEADER, end), resolver).quantity
        start = end
      }
    },
  }
}

function encoding(values: readonly Transaction[]) {
  const type = avsc.Type.forSchema(structuredClone(transactionSchema) as unknown as avsc.Schema)
  const codec = codecOf(avro<Transaction>(transactionSchema, { subject: 'transactions' }))
  const out = new ByteWriter(1 << 20)
  return {
    name: 'encode',
    ours() {
      out.reset()
      for (const value of values) codec.encode(value, out)
      seen += out.position
    },
    theirs() {
      for (const value of values) seen += type.toBuffer(value).length
    },
  }
}
