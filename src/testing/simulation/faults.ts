/** What may go wrong in a simulation; each a number of times per virtual minute and instance, or a probability. */
export interface Faults {
  /** An instance is gone from one moment to the next, between any two calls it makes, and comes back later. Per minute. */
  readonly crashes: number
  /** An instance is gone right before one of the steps of its next commit. Per minute. */
  readonly crashesInCommit: number
  /** An instance is gone while it restores. Per minute. */
  readonly crashesInRestore: number
  /** An instance stands still for longer than the session time-out and then goes on: a zombie. Per minute. */
  readonly pauses: number
  /** The group takes its tasks from an instance that is alive. Per minute. */
  readonly expiries: number
  /** The same while an instance, this one or another, restores. Per minute. */
  readonly rebalancesInRestore: number
  /** An instance stops in good order and is started again. Per minute. */
  readonly restarts: number
  /** One more instance joins, and leaves in good order after a while. Per minute. */
  readonly arrivals: number
  /** The wall clock of an instance jumps, forward or back, by up to an hour. Per minute. */
  readonly clockJumps: number
  /** An instance cannot reach the log for up to 600 ms. Per minute. */
  readonly logOutages: number
  /** An instance cannot reach sinks and snapshots for up to 600 ms. Per minute. */
  readonly sinkOutages: number
  /** Probability that a call to the log fails before anything was done. */
  readonly unavailable: number
  /** Probability that a call to the log is carried out and its answer lost. */
  readonly lostAnswers: number
  /** Probability that a call to the log arrives twice (those that an idempotent producer does not tell apart itself). */
  readonly repeated: number
  /** Probability that what an instance has asked of the log arrives although the instance is gone meanwhile. */
  readonly strays: number
  /** Probability that a committed transaction is seen later than it is acknowledged, by up to 100 ms. */
  readonly lateMarkers: number
  /** Probability that a sink is away when it is called. */
  readonly sinkUnavailable: number
  /** Probability that a sink writes a batch and its answer is lost. */
  readonly sinkLostAnswers: number
  /** Probability that a batch is given to a sink, no answer comes, and it is written up to 2 s later, whatever has come between. */
  readonly sinkLateWrites: number
  /** Probability that an object of a snapshot is cut short. */
  readonly cutSnapshots: number
  /** Longest time that one call takes, ms of virtual time. */
  readonly latencyMs: number
  /** Longest time that one call to a sink takes. */
  readonly sinkLatencyMs: number
}

/** Everything at once, each often enough to meet the others. */
export const ALL_FAULTS: Faults = Object.freeze({
  crashes: 15,
  crashesInCommit: 30,
  crashesInRestore: 6,
  pauses: 10,
  expiries: 12,
  rebalancesInRestore: 12,
  restarts: 8,
  arrivals: 6,
  clockJumps: 5,
  logOutages: 4,
  sinkOutages: 4,
  unavailable: 0.01,
  lostAnswers: 0.01,
  repeated: 0.01,
  strays: 0.5,
  lateMarkers: 0.1,
  sinkUnavailable: 0.05,
  sinkLostAnswers: 0.05,
  sinkLateWrites: 0.02,
  cutSnapshots: 0.05,
  latencyMs: 5,
  sinkLatencyMs: 40,
})

/** Nothing goes wrong; calls take no time. */
export const NO_FAULTS: Faults = Object.freeze({
  crashes: 0,
  crashesInCommit: 0,
  crashesInRestore: 0,
  pauses: 0,
  expiries: 0,
  rebalancesInRestore: 0,
  restarts: 0,
  arrivals: 0,
  clockJumps: 0,
  logOutages: 0,
  sinkOutages: 0,
  unavailable: 0,
  lostAnswers: 0,
  repeated: 0,
  strays: 0,
  lateMarkers: 0,
  sinkUnavailable: 0,
  sinkLostAnswers: 0,
  sinkLateWrites: 0,
  cutSnapshots: 0,
  latencyMs: 0,
  sinkLatencyMs: 0,
})
