/** What may go wrong in a simulation; each a number of times per virtual minute and instance, or a probability. */
export interface Faults {
  /** An instance is gone from one moment to the next, between any two calls it makes, and comes back later. Per minute. */
  readonly crashes: number
  /** An instance is gone right before one of the steps of its next commit. Per minute. */
  readonly crashesInCommit: number
  /** An instance stands still for longer than the session time-out and then goes on: a zombie. Per minute. */
  readonly pauses: number
  /** The group takes its tasks from an instance that is alive. Per minute. */
  readonly expiries: number
  /** An instance stops in good order and is started again. Per minute. */
  readonly restarts: number
  /** The wall clock of an instance jumps, forward or back, by up to an hour. Per minute. */
  readonly clockJumps: number
  /** Probability that a call to the log fails before anything was done. */
  readonly unavailable: number
  /** Probability that a call to the log is carried out and its answer lost. */
  readonly lostAnswers: number
  /** Probability that a sink is away when it is called. */
  readonly sinkUnavailable: number
  /** Probability that a sink writes a batch and its answer is lost. */
  readonly sinkLostAnswers: number
  /** Probability that an object of a snapshot is cut short. */
  readonly cutSnapshots: number
  /** Longest time that one call takes, ms of virtual time. */
  readonly latencyMs: number
  /** Longest time that one call to a sink takes. */
  readonly sinkLatencyMs: number
}

/** Everything at once, each often enough to meet the others. */
export const ALL_FAULTS: Faults = Object.freeze({
  crashes: 6,
  crashesInCommit: 12,
  pauses: 4,
  expiries: 6,
  restarts: 4,
  clockJumps: 2,
  unavailable: 0.01,
  lostAnswers: 0.01,
  sinkUnavailable: 0.05,
  sinkLostAnswers: 0.05,
  cutSnapshots: 0.05,
  latencyMs: 5,
  sinkLatencyMs: 40,
})

/** Nothing goes wrong; calls take no time. */
export const NO_FAULTS: Faults = Object.freeze({
  crashes: 0,
  crashesInCommit: 0,
  pauses: 0,
  expiries: 0,
  restarts: 0,
  clockJumps: 0,
  unavailable: 0,
  lostAnswers: 0,
  sinkUnavailable: 0,
  sinkLostAnswers: 0,
  cutSnapshots: 0,
  latencyMs: 0,
  sinkLatencyMs: 0,
})
