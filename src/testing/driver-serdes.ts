import { MillraceError } from '../errors.ts'
import type { RecordBatch } from '../log/batch/record-batch.ts'
import { ByteWriter, byteSource } from '../serde/bytes.ts'
import type { RecordPart, SchemaRegistry } from '../serde/serde.ts'
import type { AnySerde } from '../topology/node.ts'
import type { Plan } from '../topology/plan.ts'
import type { DriverRecord } from './driver-records.ts'

interface TopicSerdes {
  readonly key?: AnySerde
  readonly value?: AnySerde
}

/** The user's topics of a plan as a driver sees them: which are read and written, and how their records are coded. */
export class DriverSerdes {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  private readonly topics = new Map<string, TopicSerdes>()
  private readonly registry: SchemaRegistry | undefined

  constructor({ subtopologies, globals }: Plan, registry: SchemaRegistry | undefined) {
    this.registry = registry
    const sources = [...subtopologies.flatMap((of) => of.sources.filter(({ from }) => from === undefined)), ...globals]
    const targets = subtopologies
      .flatMap(({ nodes }) => nodes.flatMap(({ node }) => node.target ?? []))
      .filter(({ repartition }) => !repartition)
    this.inputs = [...new Set(sources.map(({ topic }) => topic))]
    this.outputs = [...new Set(targets.map(({ topic }) => topic))]
    for (const { topic, key, value } of [...targets, ...sources]) this.topics.set(topic, { key, value })
  }

  /** Bytes as on the log; null for what is null. Throws `UNENCODABLE_RECORD`. */
  encode(topic: string, part: RecordPart, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null
    const codec = this.topics.get(topic)?.[part]?.open({ topic, part, registry: this.registry })
    if (!codec) return value as Uint8Array
    mustBeSync(codec.prepare?.())
    const writer = new ByteWriter()
    codec.encode(value, writer)
    return Buffer.from(writer.bytes())
  }

  /** How many bytes at the end of a key do not decide its partition. */
  keySuffix(topic: string): number {
    return this.topics.get(topic)?.key?.keySuffix ?? 0
  }

  decode(topic: string, partition: number, batch: RecordBatch): DriverRecord[] {
    const decode = (part: RecordPart, from: number, to: number): unknown => {
      if (from < 0) return null
      const bytes = Buffer.from(batch.buffer.subarray(from, to))
      const codec = this.topics.get(topic)?.[part]?.open({ topic, part, registry: this.registry })
      return codec ? codec.decode(byteSource(bytes), 0, bytes.length) : bytes
    }
    return Array.from({ length: batch.count }, (_, i) => ({
      key: decode('key', batch.keyStart[i], batch.keyEnd[i]),
      value: decode('value', batch.valueStart[i], batch.valueEnd[i]),
      timestamp: batch.timestamps[i],
      headers: batch.headers(i),
      partition,
    }))
  }
}

/** The driver does no I/O: what would be awaited is refused. */
export function mustBeSync(result: Promise<void> | void): void {
  if (result instanceof Promise) {
    // Nobody waits for it any more.
    result.catch(() => {})
    throw new MillraceError('INVALID_OPTION', 'the registry answers with promises, and the driver does no I/O', {
      hint: 'use memoryRegistry(): new TopologyDriver(topology, { registry: memoryRegistry() })',
    })
  }
}
