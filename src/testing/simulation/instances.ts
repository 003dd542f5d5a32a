import type { MemoryLog } from '../../log/memory.ts'
import type { CommitStep } from '../../runtime/committer.ts'
import type { RunOptions } from '../../runtime/options.ts'
import { type Running, run } from '../../runtime/run.ts'
import type { SnapshotStore } from '../../snapshots/snapshot-store.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Faults } from './faults.ts'
import { createLife, type Life } from './life.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { simulatedLog } from './simulated-log.ts'
import type { SimulatedSinks } from './simulated-sink.ts'
import { simulatedSnapshots } from './simulated-snapshots.ts'

export interface InstancesOptions {
  readonly topology: Topology
  readonly log: MemoryLog
  readonly scheduler: Scheduler
  readonly random: Random
  readonly sinks: SimulatedSinks
  readonly faults: () => Faults
  readonly tell: (who: string) => (what: string) => void
  readonly injected: (fault: string) => void
  readonly run: Pick<RunOptions, 'registry' | 'guarantee'>
  /** Kept by all instances in one place. */
  readonly snapshots: SnapshotStore
}

/** The processes of a simulated application, and what befalls them. */
export interface Instances {
  start(name: string): void
  /** Lets things go wrong from now on, for this long. */
  harass(durationMs: number): void
  /** Every instance lives again, and everything has been processed and committed. */
  settle(): Promise<void>
  stop(): Promise<void>
  /** For the message of a failure. */
  describe(): string
}

const COMMIT_STEPS: readonly CommitStep[] = ['plan', 'sinks', 'produce', 'offsets', 'end', 'done']
const SESSION_TIMEOUT_MS = 1_000
const TRANSACTION_TIMEOUT_MS = 4_000
const COMMIT_INTERVAL_MS = 100
const SNAPSHOT_INTERVAL_MS = 400
const HARASS_EVERY_MS = 50
const SETTLE_POLL_MS = 50

interface Instance {
  readonly life: Life
  running: Running | undefined
  /** It dies before this step of its next commit. */
  doom: CommitStep | undefined
}

export function createInstances(on: InstancesOptions): Instances {
  const { topology, log, scheduler, random, sinks, faults, tell, injected } = on
  const instances = new Map<string, Instance>()
  let failure: Error | undefined

  function start(name: string): void {
    const life = createLife(name, scheduler, random)
    const trace = tell(name)
    const instance: Instance = { life, running: undefined, doom: undefined }
    instances.set(name, instance)
    trace('starts')
    const options: RunOptions = {
      ...on.run,
      log: simulatedLog(log.peer(), { life, random, faults, trace }),
      clock: life.clock,
      snapshots: { to: simulatedSnapshots(on.snapshots, life, random, faults), intervalMs: SNAPSHOT_INTERVAL_MS },
      instanceId: name,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      logger: false,
      handleSignals: false,
    }
    const onStep = async (step: CommitStep) => {
      trace(`step ${step}`)
      if (instance.doom !== step) return
      injected(`crash before ${step}`)
      crash(name, instance)
      await life.gate()
    }
    const hooks = {
      onStep,
      random: random.next,
      openSink: async (
        ...[definition, { node }]: Parameters<NonNullable<Parameters<typeof run>[2]>['openSink'] & {}>
      ) => sinks.open(definition, node!, life),
    }
    run(topology, options, hooks).then((running) => {
      instance.running = running
      running.done.catch(failed(life))
    }, failed(life))
  }
  const failed = (life: Life) => (error: Error) => {
    if (!life.dead) failure ??= error
  }

  function crash(name: string, { life }: Instance): void {
    if (life.dead) return
    tell(name)('is gone')
    life.kill()
    scheduler.after(SESSION_TIMEOUT_MS, () => expireIfStill(name, life))
    // Back before the session has timed out, or after.
    scheduler.after(random.next() * 2 * SESSION_TIMEOUT_MS, () => start(name))
  }
  /** The group notices that a member is not heard of; its identity is gone even if a new process has its name. */
  const expireIfStill = (name: string, life: Life) => {
    if (life.dead || instances.get(name)?.life === life) log.expire(topology.name, name)
  }

  const wrongs: Record<string, (name: string, instance: Instance) => void> = {
    crashes: crash,
    crashesInCommit(_, instance) {
      instance.doom = random.pick(COMMIT_STEPS)
    },
    pauses(name, { life }) {
      life.pause()
      const ms = random.next() * 4 * SESSION_TIMEOUT_MS
      if (ms > SESSION_TIMEOUT_MS) scheduler.after(SESSION_TIMEOUT_MS, () => expireIfStill(name, life))
      scheduler.after(ms, () => {
        if (!life.dead) tell(name)('goes on')
        life.resume()
      })
    },
    expiries: (name) => log.expire(topology.name, name),
    restarts(name, instance) {
      const { running, life } = instance
      if (running === undefined) return
      void running.stop().then(() => {
        if (life.dead || instances.get(name) !== instance) return
        life.kill()
        start(name)
      }, failed(life))
    },
    clockJumps: (_, { life }) => life.jump((random.next() - 0.5) * 2 * 3_600_000),
  }

  return {
    start,
    harass(durationMs) {
      const until = scheduler.now() + durationMs
      const round = () => {
        if (scheduler.now() >= until) return
        for (const [name, instance] of instances) {
          if (instance.life.dead) continue
          for (const [fault, inflict] of Object.entries(wrongs)) {
            if (!random.chance((faults()[fault as keyof Faults] * HARASS_EVERY_MS) / 60_000)) continue
            injected(fault)
            tell(name)(`fault: ${fault}`)
            inflict(name, instance)
          }
        }
        scheduler.after(HARASS_EVERY_MS, round)
      }
      scheduler.after(0, round)
    },
    async settle() {
      for (const { life } of instances.values()) life.resume()
      for (const instance of instances.values()) instance.doom = undefined
      for (;;) {
        if (failure) throw failure
        await scheduler.sleep(SETTLE_POLL_MS)
        const all = [...instances.values()]
        if (all.some(({ life, running }) => life.dead || running?.state.phase !== 'running')) continue
        const one = all.map(({ running }) => running!)[0]
        await Promise.race([one.caughtUp(), one.done])
        if (all.every((instance) => instances.get(instance.life.name) === instance)) return
      }
    },
    async stop() {
      for (const { running } of instances.values()) await running?.stop()
      if (failure) throw failure
    },
    describe: () =>
      [...instances]
        .map(([name, { life, running }]) => `${name} ${life.dead ? 'dead' : (running?.state.phase ?? 'starting')}`)
        .join(', '),
  }
}
