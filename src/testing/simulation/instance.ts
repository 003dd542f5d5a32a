import type { Log } from '../../log/log.ts'
import type { MemoryLog } from '../../log/memory.ts'
import type { CommitStep } from '../../runtime/committer.ts'
import type { RunOptions } from '../../runtime/options.ts'
import { type RunHooks, type Running, run } from '../../runtime/run.ts'
import type { Sink } from '../../sinks/sink.ts'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { DiskState } from '../../topology/disk-table.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Faults } from './faults.ts'
import { createLife, type Life } from './life.ts'
import { createLink, type LinkFaults } from './link.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { simulatedLog } from './simulated-log.ts'
import type { SimulatedSinks } from './simulated-sink.ts'
import { simulatedSnapshots } from './simulated-snapshots.ts'

/** What all instances of a simulation have in common. */
export interface World {
  readonly topology: Topology
  readonly log: MemoryLog
  readonly scheduler: Scheduler
  readonly random: Random
  readonly sinks: SimulatedSinks
  readonly faults: () => Faults
  readonly tell: (who: string) => (what: string) => void
  readonly injected: (fault: string) => void
  readonly observed: (what: string) => void
  readonly run: Pick<RunOptions, 'registry' | 'guarantee' | 'standbys' | 'acceptableLag'>
  /** Kept by all instances in one place. */
  readonly snapshots: SnapshotStore
  readonly state?: (instance: string) => DiskState
  readonly surround: Surroundings
}

/** Puts something between the runtime and what it is connected to: to plant the bugs that simulations have to find. */
export interface Surroundings {
  readonly log?: (log: Log) => Log
  readonly sink?: (sink: Sink<unknown, unknown>) => Sink<unknown, unknown>
}

export const SESSION_TIMEOUT_MS = 1_000
const TRANSACTION_TIMEOUT_MS = 4_000
const COMMIT_INTERVAL_MS = 100
const SNAPSHOT_INTERVAL_MS = 400

/** One process of the application. */
export interface Instance {
  readonly name: string
  readonly life: Life
  running: Running | undefined
  /** It dies before this step of its next commit. */
  doom: CommitStep | undefined
  /** This befalls it in the midst of its next restore. */
  whenRestoring: (() => void) | undefined
  /** Until when it cannot reach them, virtual time. */
  readonly cut: { log: number; sinks: number }
}

/** @param crash - ends it, on `doom` */
export function startInstance(
  name: string,
  world: World,
  crash: (instance: Instance) => void,
  failed: (life: Life) => (error: Error) => void,
): Instance {
  const { topology, scheduler, random, sinks, faults, injected, observed, surround } = world
  const trace = world.tell(name)
  const life = createLife(name, scheduler)
  const cut = { log: 0, sinks: 0 }
  const instance: Instance = { name, life, running: undefined, doom: undefined, whenRestoring: undefined, cut }
  trace('starts')

  const common = { life, random, scheduler, trace }
  const logLink = createLink({ ...common, faults, isCut: () => scheduler.now() < cut.log, injected })
  const sinkLink = createLink({
    ...common,
    faults: () => faultsOfSinks(faults()),
    isCut: () => scheduler.now() < cut.sinks,
    injected: (fault) => injected(SINK_FAULTS[fault]),
  })
  const isCut = () => {
    if (!random.chance(faults().cutSnapshots)) return false
    injected('cutSnapshots')
    return true
  }
  const log = simulatedLog(world.log.peer(), { life, link: logLink, trace, observed })
  const options: RunOptions = {
    ...world.run,
    log: surround.log?.(log) ?? log,
    clock: life.clock,
    snapshots: { to: simulatedSnapshots(world.snapshots, sinkLink, isCut), intervalMs: SNAPSHOT_INTERVAL_MS },
    state: world.state?.(name),
    instanceId: name,
    commitIntervalMs: COMMIT_INTERVAL_MS,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
    logger: false,
    handleSignals: false,
  }
  const hooks: RunHooks = {
    async onStep(step) {
      trace(`step ${step}`)
      if (instance.doom !== step) return
      injected(`crash before ${step}`)
      crash(instance)
      await life.gate()
    },
    random: random.next,
    async openSink(definition, { node }) {
      const sink = sinks.open(definition, node!, sinkLink)
      return surround.sink?.(sink) ?? sink
    },
  }
  run(topology, options, hooks).then((running) => {
    instance.running = running
    running.done.catch(failed(life))
    running.state$.subscribe(({ phase }) => {
      if (phase === 'restoring') scheduler.after(random.next() * faults().latencyMs * 4, () => strike(instance))
    })
  }, failed(life))
  return instance
}

function strike(instance: Instance): void {
  const { running, whenRestoring } = instance
  if (whenRestoring === undefined || running?.state.phase !== 'restoring') return
  instance.whenRestoring = undefined
  whenRestoring()
}

const SINK_FAULTS = {
  unavailable: 'sinkUnavailable',
  lostAnswers: 'sinkLostAnswers',
  repeated: 'repeated',
  strays: 'strays',
  latencyMs: 'sinkLatencyMs',
} as const

function faultsOfSinks(faults: Faults): LinkFaults {
  const { sinkUnavailable, sinkLostAnswers, repeated, strays, sinkLatencyMs } = faults
  return { unavailable: sinkUnavailable, lostAnswers: sinkLostAnswers, repeated, strays, latencyMs: sinkLatencyMs }
}
