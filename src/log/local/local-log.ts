import type { Log, LogGroup, LogProducer, LogReader } from '../log.ts'
import { localAdmin } from './admin.ts'
import type { Broker } from './broker.ts'
import { LocalGroup } from './group.ts'
import { LocalProducer } from './producer.ts'
import { LocalReader } from './reader.ts'

export interface LocalLogOptions {
  readonly kind: string
  /** Called before each fetch, to let other work of the process go first. */
  readonly breathe: () => Promise<void> | undefined
  /** What else ends with the connection. */
  readonly onClose: () => void
  readonly onConnect: () => void
}

/** A connection to a broker in this process. Closing it ends what was opened through it, and nothing else. */
export function localLog(broker: Broker, { kind, breathe, onConnect, onClose }: LocalLogOptions): Log {
  const readers = new Set<LogReader>()
  const producers = new Set<LogProducer>()
  const groups = new Set<LogGroup>()
  return {
    kind,
    admin: localAdmin(broker),
    async connect() {
      onConnect()
    },
    async close() {
      for (const reader of readers) await reader.close()
      for (const producer of producers) await producer.close()
      for (const group of groups) await group.leave()
      onClose()
    },
    reader(options = {}) {
      const reader: LogReader = new LocalReader(broker, options, breathe, () => readers.delete(reader))
      readers.add(reader)
      return reader
    },
    producer(options = {}) {
      const producer: LogProducer = new LocalProducer(broker, options, () => producers.delete(producer))
      producers.add(producer)
      return producer
    },
    group(options) {
      const group = new LocalGroup(broker, options)
      groups.add(group)
      return group
    },
  }
}
