import type { Arrival } from '../../examples/common/arrivals.ts'
import { spoilers } from '../../examples/common/lane.ts'
import type { Parts } from '../../examples/common/parts.ts'
import { type Example, play, type Read } from '../../examples/common/start.ts'
import type { Serde, Topology } from '../../src/index.ts'
import { memoryRegistry } from '../../src/serde/avro/index.ts'
import { ByteWriter, memoryLog, partitionFor, TopologyDriver } from '../../src/testing/index.ts'

/** The parts of an example in memory: the whole runtime over it, without a disk. */
export function partsInMemory(name: string): Parts {
  const log = memoryLog()
  return {
    name,
    directory: '',
    log: () => log.peer(),
    registry: memoryRegistry(),
    clickhouseUrl: '',
    lake: '',
    described: [],
    close: () => log.close(),
  }
}

/** Writes the records, runs the job over the log in memory until it has caught up, and gives the example's verdict. */
export async function playInMemory(example: Example, arrivals: readonly Arrival[]) {
  const parts = partsInMemory(example.name)
  try {
    return await play(example, arrivals, parts)
  } finally {
    await parts.close()
  }
}

/** A driver that has been given the records in the order of their arrival, broken ones as they would be on the log. */
export async function driven(
  topology: Topology,
  { name, inputs }: Pick<Example, 'name' | 'inputs'>,
  arrivals: readonly Arrival[],
  partitions: number,
): Promise<{ driver: TopologyDriver; read: Read }> {
  const registry = memoryRegistry()
  const driver = new TopologyDriver(topology, { registry, partitions })
  const bytes = new ByteWriter()
  for (const [i, { topic, key, value, timestamp, spoiled }] of arrivals.entries()) {
    const to = `${name}-${topic}`
    // biome-ignore lint/suspicious/noExplicitAny: each topic has a type of its own
    const codec = (inputs[topic] as Serde<any>).open({ topic: to, part: 'value', registry })
    await codec.prepare?.()
    codec.encode(value, bytes.reset())
    const encoded = Buffer.from(bytes.bytes())
    if (spoiled) spoilers[spoiled](encoded)
    const keyBytes = key === null ? null : Buffer.from(key)
    driver.pipeBytes(to, keyBytes, encoded, timestamp, [], keyBytes ? partitionFor(keyBytes, partitions) : 0)
    // Calls to the outside are waited for now and then, as commits do.
    if (i % 500 === 499) await driver.commitSettled()
  }
  await driver.commitSettled()
  return { driver, read: async <K, V>(topic: string) => driver.read<K, V>(`${name}-${topic}`) }
}

/** How many came with each fate. */
export const fates = (arrivals: readonly Arrival[]) =>
  Object.fromEntries([...Map.groupBy(arrivals, ({ fate }) => fate)].map(([fate, of]) => [fate, of.length]))
