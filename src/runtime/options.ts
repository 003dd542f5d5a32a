import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { MillraceError } from '../errors.ts'
import type { Log } from '../log/log.ts'
import { checkWhole } from '../options.ts'
import type { SchemaRegistry } from '../serde/serde.ts'
import { type Clock, systemClock } from '../time.ts'
import type { DiskState } from '../topology/disk-table.ts'
import type { SnapshotOptions } from './snapshots/snapshots.ts'
import type { RecordPolicy } from './task/task.ts'

/** How a topology is run. Only `log` is required. */
export interface RunOptions {
  /** Where records come from and go to: `kafka({ brokers })`, `embedded('./data')`. */
  readonly log: Log
  /** Needed by Avro serdes: `schemaRegistry({ url })`, `directoryRegistry(path)`. */
  readonly registry?: SchemaRegistry
  /**
   * 'exactly-once' (default): outputs, state and offsets become visible together or not at all, as in Kafka Streams'
   * exactly_once_v2. 'at-least-once': after a crash records since the last commit are processed again.
   */
  readonly guarantee?: 'exactly-once' | 'at-least-once'
  /**
   * How often results, state and offsets become durable, in ms. Default 200. Once more, at once, when a backlog has been
   * worked off: what was waiting when tasks were started or taken over, or what could not be processed between two commits.
   * Kafka Streams: commit.interval.ms, which is never cut short.
   */
  readonly commitIntervalMs?: number
  /** Where a partition without a committed offset is read from. Default 'earliest'. */
  readonly startFrom?: 'earliest' | 'latest'
  /**
   * What happens when a committed offset is no longer in the log: never silent. Default 'fail'. A range that was planned for an
   * append sink and is gone with it is dropped, and counted in `millrace_plans_dropped_total`.
   */
  readonly outOfRange?: 'fail' | 'earliest' | 'latest'
  readonly errors?: ErrorPolicies
  /** Default `<application>-dead-letters`; false: there is none, and what would go there fails. */
  readonly deadLetterTopic?: string | false
  /** Make the user's topics that are missing. Default false: a missing topic is an error. */
  readonly createTopics?: boolean | { readonly partitions?: number; readonly replicationFactor?: number }
  /** Of the internal topics; default: the broker's. */
  readonly replicationFactor?: number
  /** A fixed name for this instance: a restart within the session time-out gets its tasks back without a rebalance. */
  readonly instanceId?: string
  /** How long an instance may be silent before its tasks are given to others, in ms. Default 45,000. */
  readonly sessionTimeoutMs?: number
  /**
   * How long a transaction may stay open, in ms; longer than any commit takes. Default 30,000; Kafka Streams has 10,000.
   *
   * For that long, and until the broker looks for expired ones (every 10 s by its default), committed readers of a topic stand
   * behind what a crashed instance has left open there. With the default it is gone before the session ends and others
   * take the tasks over. An instance with an `instanceId` ends it when it is started again, and one that starts over at once.
   */
  readonly transactionTimeoutMs?: number
  /** How long `stop` waits for a last commit that something away holds up, in ms. Default 10,000. */
  readonly stopTimeoutMs?: number
  /**
   * Upper bound of fetched records waiting to be processed, in bytes; a thirty-second of it is asked of a partition at once. Default
   * 8 MiB. More helps where the log is far away: a partition gives no more than that share in each round trip.
   */
  readonly maxBufferedBytes?: number
  /**
   * Keeps what is not in use of every store on disk: `diskState(directory)` of `millrace/disk`. Default: all state is in
   * memory. (Global tables are in memory in either case.)
   */
  readonly state?: DiskState
  /**
   * On how many other instances the state of each task is kept up to date, so that one of them takes over at once (Kafka
   * Streams: num.standby.replicas). Each costs the memory of the state and the reading of its changelog. Default 0; with
   * fewer instances than `standbys + 1` there are as many copies as fit, and a warning.
   */
  readonly standbys?: number
  /**
   * How many tasks of the group may be warmed up at once: a task whose state is large moves only when the instance it goes
   * to has read its changelog (max.warmup.replicas). Default 2.
   */
  readonly maxWarmups?: number
  /**
   * An instance may be given a task when its state lags by no more than so many changelog records
   * (acceptable.recovery.lag). Default 10,000.
   */
  readonly acceptableLag?: number
  /** Keeps snapshots of the state, so that a restart reads only the end of the changelogs. Default: none. */
  readonly snapshots?: SnapshotOptions
  /** Serves /metrics, /healthz and /readyz. Default: no server. */
  readonly http?: { readonly port: number; readonly host?: string }
  /** Where the metrics are registered; default: a registry of their own. */
  readonly metrics?: Registry
  /** Default: JSON lines on standard error from level 'info' on; false: silent. */
  readonly logger?: Logger | false
  /** Stop in good order on SIGTERM and SIGINT. Default true. */
  readonly handleSignals?: boolean
  /** For tests. */
  readonly clock?: Clock
}

/** What is done with records that cannot be processed: 'fail' stops, 'dead-letter' sets aside, 'skip' counts. */
export interface ErrorPolicies {
  /** Default 'dead-letter'. */
  readonly undecodable?: RecordPolicy
  /** A function of the user's that throws. Default 'fail'. (`RejectedRecord` always goes to the dead letters.) */
  readonly failing?: RecordPolicy
  /**
   * A row that a sink refuses for what it is, and a result that is larger than what its topic takes (`max.message.bytes`, as it
   * was at the start). Default 'dead-letter'. State too large for its changelog always stops.
   */
  readonly refused?: RecordPolicy
}

/** The options with everything filled in. */
export interface Settings
  extends Required<
    Omit<
      RunOptions,
      | 'registry'
      | 'state'
      | 'snapshots'
      | 'http'
      | 'metrics'
      | 'logger'
      | 'deadLetterTopic'
      | 'replicationFactor'
      | 'instanceId'
      | 'errors'
    >
  > {
  readonly application: string
  readonly registry: SchemaRegistry | undefined
  readonly state: DiskState | undefined
  readonly snapshots: SnapshotOptions | undefined
  readonly deadLetterTopic: string | undefined
  readonly replicationFactor: number | undefined
  readonly instanceId: string | undefined
  readonly errors: Required<ErrorPolicies>
}

/** Fills in the defaults. Throws `INVALID_OPTION`. */
export function settingsOf(application: string, options: RunOptions): Settings {
  const { deadLetterTopic = `${application}-dead-letters`, errors } = options
  const settings: Settings = {
    application,
    log: options.log,
    registry: options.registry,
    state: options.state,
    snapshots: options.snapshots,
    guarantee: options.guarantee ?? 'exactly-once',
    commitIntervalMs: options.commitIntervalMs ?? 200,
    startFrom: options.startFrom ?? 'earliest',
    outOfRange: options.outOfRange ?? 'fail',
    errors: { undecodable: 'dead-letter', failing: 'fail', refused: 'dead-letter', ...errors },
    deadLetterTopic: deadLetterTopic === false ? undefined : deadLetterTopic,
    createTopics: options.createTopics ?? false,
    replicationFactor: options.replicationFactor,
    instanceId: options.instanceId,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
    transactionTimeoutMs: options.transactionTimeoutMs ?? 30_000,
    stopTimeoutMs: options.stopTimeoutMs ?? 10_000,
    maxBufferedBytes: options.maxBufferedBytes ?? 8 * 1024 * 1024,
    standbys: options.standbys ?? 0,
    maxWarmups: options.maxWarmups ?? 2,
    acceptableLag: options.acceptableLag ?? 10_000,
    handleSignals: options.handleSignals ?? true,
    clock: options.clock ?? systemClock,
  }
  if (!options.log) {
    throw new MillraceError('INVALID_OPTION', 'run needs a log', {
      hint: "pass log: kafka({ brokers: ['localhost:9092'] }) or log: embedded('./data')",
    })
  }
  for (const name of [
    'commitIntervalMs',
    'sessionTimeoutMs',
    'transactionTimeoutMs',
    'stopTimeoutMs',
    'maxBufferedBytes',
  ] as const) {
    if (!(settings[name] > 0))
      throw new MillraceError('INVALID_OPTION', `${name} must be above 0, got ${settings[name]}`)
  }
  checkWhole('run', 'standbys', settings.standbys, 0)
  checkWhole('run', 'maxWarmups', settings.maxWarmups, 1)
  checkWhole('run', 'acceptableLag', settings.acceptableLag, 0)
  if (settings.transactionTimeoutMs <= settings.commitIntervalMs) {
    throw new MillraceError('INVALID_OPTION', 'transactionTimeoutMs must be longer than commitIntervalMs', {
      hint: `it is ${settings.transactionTimeoutMs} ms; leave it out for the default of 30,000`,
    })
  }
  return settings
}
