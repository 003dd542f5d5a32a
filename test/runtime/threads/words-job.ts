/** A job for threads: counts words, and fails as often as it is told to. */
import {
  count,
  groupByKey,
  json,
  mapValues,
  stream,
  string,
  type Thread,
  type ThreadJob,
  to,
  topology,
  toStream,
} from '../../../src/index.ts'
import { embedded } from '../../../src/log/embedded/embedded.ts'
import { kafka } from '../../../src/log/kafka/index.ts'

export interface WordsData {
  readonly application: string
  readonly log: { readonly directory: string } | { readonly brokers: readonly string[] }
  /** [0]: how often the word 'poison' still ends its thread. Shared by all threads. */
  readonly poison: Int32Array
  readonly invalid?: 'option' | 'throws'
}

export default function words({ data }: Thread<WordsData>): ThreadJob {
  if (data.invalid === 'throws') throw new Error('no job today')
  const { application, log, poison } = data
  return {
    topology: topology(application, [
      stream(`${application}-words`, { key: string(), value: string() }).pipe(
        mapValues((word) => {
          if (word === 'poison' && Atomics.sub(poison, 0, 1) > 0) throw new Error('poisoned')
          return word
        }),
        groupByKey(),
        count('per-word'),
        toStream(),
        to(`${application}-counts`, { key: string(), value: json<number | null>() }),
      ),
    ]),
    options: {
      log: 'directory' in log ? embedded(log.directory) : kafka({ brokers: log.brokers }),
      commitIntervalMs: data.invalid === 'option' ? -1 : 50,
      sessionTimeoutMs: 10_000,
      logger: false,
    },
  }
}
