import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CASES } from '../../../scripts/simulate/cases/index.ts'
import { MillraceError, toError } from '../../../src/errors.ts'
import type { CommittedOffset, GroupOptions, Log, LogGroup, LogProducer, Stamp } from '../../../src/log/log.ts'
import { NO_FAULTS } from '../../../src/testing/simulation/index.ts'
import type { Surroundings } from '../../../src/testing/simulation/instance.ts'
import { simulateIn } from '../../../src/testing/simulation/simulate.ts'

interface Bug {
  readonly plant: () => Surroundings
  readonly in: 'words' | 'windows'
  /** The first seed to try: shortly before one that finds it. */
  readonly from?: number
}

/**
 * Would the simulation notice? Each bug is planted between the runtime and what it is connected to, where it has the
 * effect that the same bug inside the runtime would have.
 */
const BUGS: Record<string, Bug> = {
  'a commit carries the newest stamp of anybody, so that nobody is fenced': {
    in: 'words',
    from: 105,
    plant() {
      let newest: Stamp | undefined
      const seen = (options: GroupOptions): GroupOptions => ({
        ...options,
        onAssigned(assignment) {
          newest = assignment.stamp
          return options.onAssigned(assignment)
        },
      })
      return {
        log: (log) => ({
          ...log,
          group: (options) => log.group(seen(options)),
          producer: (options) =>
            withProducer(log.producer(options), (producer) => ({
              sendOffsets: (offsets, stamp) => producer.sendOffsets(offsets, newest ?? stamp),
            })),
        }),
      }
    },
  },

  'offsets are committed before the outputs, not with them': {
    in: 'words',
    plant() {
      let group: LogGroup
      return {
        log: (log) => ({
          ...log,
          group: (options) => (group = log.group(options)),
          producer: (options) =>
            withProducer(log.producer(options), () => ({
              sendOffsets: (offsets, stamp) => group.commit(offsets, stamp),
            })),
        }),
      }
    },
  },

  'outputs are visible before their commit': {
    in: 'words',
    plant() {
      return { log: (log) => ({ ...log, reader: () => log.reader({ isolation: 'uncommitted' }) }) }
    },
  },

  'an answer that is lost counts as a good one': {
    in: 'words',
    plant() {
      return {
        log: (log) => ({
          ...log,
          producer: (options) =>
            withProducer(log.producer(options), (producer) => ({
              send: (topic, partition, batch) =>
                producer.send(topic, partition, batch).catch((error) => {
                  if (error instanceof MillraceError && error.retriable) return { offset: 0 }
                  throw error
                }),
            })),
        }),
      }
    },
  },

  'a range that was planned for a sink is not replayed': {
    in: 'windows',
    plant() {
      return withCommitted((checkpoint) => ({ ...checkpoint, p: undefined }))
    },
  },

  'stream time is not restored': {
    in: 'windows',
    plant() {
      return withCommitted((checkpoint) => ({ ...checkpoint, t: {} }))
    },
  },

  'a restore ends where committed readers are, not at the end of the log': {
    in: 'words',
    from: 165,
    plant() {
      return {
        log: (log) => ({
          ...log,
          admin: { ...log.admin, endOffsets: (partitions) => log.admin.endOffsets(partitions, 'committed') },
        }),
      }
    },
  },

  'state is not restored': {
    in: 'words',
    plant() {
      return {
        log: (log) => ({
          ...log,
          admin: {
            ...log.admin,
            startOffsets: (partitions) => log.admin.endOffsets(partitions, 'uncommitted'),
          },
        }),
      }
    },
  },

  'a sink drops a batch that it has not been able to write at once': {
    in: 'windows',
    plant() {
      return {
        sink: (sink) => ({
          ...sink,
          write: (batch) =>
            sink.write(batch).catch((error) => {
              if (error instanceof MillraceError && error.retriable) return []
              throw error
            }),
        }),
      }
    },
  },

  'a task is given away before what it has done is committed': {
    in: 'windows',
    plant() {
      return {
        log: (log) => ({
          ...log,
          group: (options) =>
            log.group({
              ...options,
              async onRebalancing() {
                void options.onRebalancing?.()
              },
              async onRevoked(tasks, stamp) {
                void options.onRevoked(tasks, stamp)
              },
            }),
        }),
      }
    },
  },
}

function withProducer(producer: LogProducer, other: (producer: LogProducer) => Partial<LogProducer>): LogProducer {
  return {
    init: () => producer.init(),
    begin: () => producer.begin(),
    send: (topic, partition, batch) => producer.send(topic, partition, batch),
    sendOffsets: (offsets, stamp) => producer.sendOffsets(offsets, stamp),
    commit: () => producer.commit(),
    abort: () => producer.abort(),
    close: () => producer.close(),
    ...other(producer),
  }
}

/** Changes what the checkpoint beside committed offsets says when it is read again. */
function withCommitted(change: (checkpoint: Record<string, unknown>) => Record<string, unknown>): Surroundings {
  const changed = (of: CommittedOffset): CommittedOffset =>
    of.metadata === undefined ? of : { ...of, metadata: JSON.stringify(change(JSON.parse(of.metadata))) }
  const group = (of: LogGroup): LogGroup => ({
    join: () => of.join(),
    leave: () => of.leave(),
    reconsider: () => of.reconsider(),
    commit: (offsets, stamp) => of.commit(offsets, stamp),
    committed: async (partitions) => (await of.committed(partitions)).map(changed),
  })
  return { log: (log: Log) => ({ ...log, group: (options) => group(log.group(options)) }) }
}

const MOST_SEEDS = 300

describe('a planted bug is found:', () => {
  it.each(Object.entries(BUGS))('%s', { timeout: 120_000 }, async (_, { plant, in: name, from = 1 }) => {
    const { topology, input, options, outcome } = CASES.find((other) => other.name === name)!
    const quiet = outcome(await simulateIn({}, topology, { ...options, seed: 0, input, faults: NO_FAULTS }))
    for (let seed = from; seed < from + MOST_SEEDS; seed++) {
      const rough = await simulateIn(plant(), topology, { ...options, seed, input }).then(outcome, toError)
      if (!isDeepStrictEqual(rough, quiet)) return
    }
    expect.fail(`nothing wrong with ${MOST_SEEDS} seeds`)
  })
})
