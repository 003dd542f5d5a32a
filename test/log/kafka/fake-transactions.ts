import { MillraceError } from '../../../src/errors.ts'
import type { Transport } from '../../../src/log/kafka/transport.ts'
import type { Request } from '../../../src/log/kafka/wire/request.ts'
import { WireReader } from '../../../src/log/kafka/wire/wire-reader.ts'

const node = { nodeId: 1, host: 'broker', port: 9092 }

/** A broker that takes part in transactions and notes what it is asked, in words; it keeps nothing. */
export function fakeTransactions() {
  const said: string[] = []
  /** What happens to the next requests of a kind: an error code, or no answer at all. */
  const faults = new Map<string, (number | 'away')[]>()
  const forbidden = new Set<string>()
  let epoch = -1
  let hasBroken = () => {}

  const topics = (reader: WireReader, item: (r: WireReader) => void) => {
    const found: { topic: string; partition: number }[] = []
    reader.array((r) => {
      const topic = r.string()
      r.array((p) => {
        found.push({ topic, partition: p.int32() })
        item(p)
      })
    })
    return found
  }
  const identity = (reader: WireReader) => {
    reader.string()
    reader.int64()
    return reader.int16()
  }
  const names = (of: readonly { topic: string; partition: number }[]) =>
    of.map((p) => ` ${p.topic}/${p.partition}`).join('')

  const answers: Record<string, (reader: WireReader, error: number) => unknown> = {
    InitProducerId(_, error) {
      said.push('init')
      return { error, producerId: 7, epoch: ++epoch }
    },
    AddPartitionsToTxn(reader, error) {
      const from = identity(reader)
      const partitions = topics(reader, () => {})
      said.push(`${from}: add${names(partitions)}`)
      const isForbidden = (of: { topic: string }) => forbidden.has(of.topic)
      const others = partitions.some(isForbidden) ? 55 : error
      return partitions.map((of) => ({ ...of, error: isForbidden(of) ? 29 : others }))
    },
    AddOffsetsToTxn(reader, error) {
      said.push(`${identity(reader)}: add offsets of ${reader.string()}`)
      return { error }
    },
    TxnOffsetCommit: (_, error) => [{ topic: '', partition: 0, error }],
    EndTxn(reader, error) {
      const from = identity(reader)
      said.push(`${from}: ${reader.boolean() ? 'commit' : 'abort'}`)
      return { error }
    },
    Produce(reader, error) {
      reader.nullableString()
      reader.int16()
      reader.int32()
      return topics(reader, (r) => r.bytes()).map((of) => ({ ...of, error, baseOffset: 0, message: null }))
    },
  }

  const transport: Transport = {
    connect: async () => {},
    close: async () => {},
    refresh: async () => {},
    partitions: async () => new Map(),
    leader: async () => node,
    coordinator: async () => node,
    controller: async () => node,
    versions: async () => new Map(),
    onBreak(listener) {
      hasBroken = listener
    },
    send: () => Promise.reject(new Error('not here')),
    brokers: () => [node],
    callAny: () => Promise.reject(new Error('not here')),
    async call<Answer>(_: unknown, { apiName, body, tail = [] }: Request<Answer>) {
      const fault = faults.get(apiName)?.shift()
      if (fault === 'away') throw new MillraceError('UNAVAILABLE', 'away', { retriable: true })
      return answers[apiName](new WireReader(Buffer.concat([body, ...tail])), fault ?? 0) as Answer
    },
  }
  return { transport, said, faults, forbidden, breakConnection: () => hasBroken() }
}
