import { MillraceError } from '../../errors.ts'
import type { LogAdmin, NewTopic, Position, TopicPartition } from '../log.ts'
import type { Broker } from './broker.ts'
import { largestBatch } from './writable.ts'

/** As Kafka has it, so that what works here works there. */
const LEGAL_NAME = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/

export function localAdmin(broker: Broker): LogAdmin {
  return {
    async partitions(topics) {
      broker.check()
      const found = new Map<string, number>()
      for (const topic of topics) {
        const { length } = broker.topics.get(topic)?.partitions ?? []
        if (length > 0) found.set(topic, length)
      }
      return found
    },

    async create(topics) {
      broker.check()
      topics.forEach(checkTopic)
      for (const { topic, partitions, config } of topics) broker.createTopic(topic, partitions, { ...config })
    },

    async delete(topics) {
      broker.check()
      for (const topic of topics) broker.deleteTopic(topic)
    },

    startOffsets: async (partitions) => partitions.map((p) => positionAt(broker, p, 'start')),
    endOffsets: async (partitions, isolation) =>
      partitions.map((p) => positionAt(broker, p, isolation === 'uncommitted' ? 'next' : 'end')),

    async largestBatches(topics) {
      broker.check()
      const found = new Map<string, number>()
      for (const topic of topics) {
        const known = broker.topics.get(topic)
        if (known !== undefined) found.set(topic, largestBatch(known.config))
      }
      return found
    },

    async trim(positions) {
      broker.flush()
      const moves = positions.map((position) => ({ partition: broker.partition(position), position }))
      for (const { partition, position } of moves)
        if (position.offset > partition.end)
          throw new MillraceError('OFFSET_OUT_OF_RANGE', `the partition ends at ${partition.end}`, position)
      broker.storage.atomically(() => {
        for (const { partition, position } of moves)
          if (position.offset > partition.start) broker.storage.setStart(partition.id, position.offset)
      })
      for (const { partition, position } of moves) partition.start = Math.max(partition.start, position.offset)
    },
  }
}

function positionAt(broker: Broker, which: TopicPartition, place: 'start' | 'end' | 'next'): Position {
  const partition = broker.partition(which)
  return { topic: partition.topic, partition: partition.index, offset: partition[place] }
}

function checkTopic({ topic, partitions }: NewTopic): void {
  if (!LEGAL_NAME.test(topic))
    throw new MillraceError('INVALID_OPTION', `"${topic}" cannot be the name of a topic`, {
      hint: 'use at most 249 letters, digits, dots, underscores and hyphens',
    })
  if (!Number.isInteger(partitions) || partitions < 1)
    throw new MillraceError('INVALID_OPTION', `a topic cannot have ${partitions} partitions`, { topic })
}
