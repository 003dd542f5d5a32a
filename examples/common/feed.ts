import { type Log, MillraceError, type SchemaRegistry, type Serde } from 'millrace'
import { partitionFor } from 'millrace/testing'
import type { Arrival } from './arrivals.ts'
import { lane, spoilers } from './lane.ts'
import { readTopic } from './read-topic.ts'

export const PARTITIONS = 4

export interface Feed {
  readonly log: Log
  readonly registry: SchemaRegistry
  /** Of the application: every topic is `<name>-<topic>`. */
  readonly name: string
  /** The topics that are written here, with the serdes of their values. */
  // biome-ignore lint/suspicious/noExplicitAny: each topic has a type of its own
  readonly inputs: Readonly<Record<string, Serde<any>>>
  readonly outputs: readonly string[]
}

/**
 * Makes the topics and writes the records, those left out that are there from a run before. Throws `INVALID_OPTION` where
 * a topic holds something else.
 */
export async function feed({ log, registry, name, inputs, outputs }: Feed, arrivals: readonly Arrival[]) {
  const topics = [...Object.keys(inputs), ...outputs].map((topic) => `${name}-${topic}`)
  // Event time lies where the generator puts it: nothing may be deleted for its age.
  const config = { 'retention.ms': '-1' }
  await log.admin.create(topics.map((topic) => ({ topic, partitions: PARTITIONS, config })))
  for (const topic of Object.keys(inputs)) {
    await mustBegin(
      log,
      `${name}-${topic}`,
      arrivals.filter((of) => of.topic === topic),
    )
  }
  const producer = log.producer()
  await producer.init()
  const sending: Promise<unknown>[] = []
  const on = {
    log,
    registry,
    partitions: PARTITIONS,
    send: (topic: string, partition: number, bytes: Buffer) => sending.push(producer.send(topic, partition, bytes)),
  }
  const lanes = new Map<string, Awaited<ReturnType<typeof lane<object>>>>()
  for (const [topic, serde] of Object.entries(inputs))
    lanes.set(topic, await lane<object>(`${name}-${topic}`, serde, on))
  for (const [i, { topic, key, timestamp, value, spoiled }] of arrivals.entries()) {
    lanes.get(topic)!.write(i, key, timestamp, value, spoiled && spoilers[spoiled])
  }
  for (const each of lanes.values()) each.flush()
  await Promise.all(sending)
  await producer.close()
}

/** What is in the topic must be the beginning of what is going to be written. */
async function mustBegin(log: Log, topic: string, arrivals: readonly Arrival[]): Promise<void> {
  const planned: number[][] = Array.from({ length: PARTITIONS }, () => [])
  for (const { key, timestamp } of arrivals) {
    if (key !== null) planned[partitionFor(Buffer.from(key), PARTITIONS)].push(timestamp)
  }
  const seen = planned.map(() => 0)
  for await (const { partition, key, timestamp } of readTopic(log, topic)) {
    if (key === null || planned[partition][seen[partition]++] === timestamp) continue
    throw new MillraceError('INVALID_OPTION', 'the topic holds records of another run', {
      topic,
      hint: 'give this one a name of its own: --name NAME',
    })
  }
}
