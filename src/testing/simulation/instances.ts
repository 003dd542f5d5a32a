import type { CommitStep } from '../../runtime/committer.ts'
import type { Faults } from './faults.ts'
import { type Instance, SESSION_TIMEOUT_MS, startInstance, type World } from './instance.ts'
import type { Life } from './life.ts'

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
const HARASS_EVERY_MS = 25
const SETTLE_POLL_MS = 50
const LONGEST_OUTAGE_MS = 600
const LONGEST_VISIT_MS = 1_500

export function createInstances(world: World): Instances {
  const { topology, log, scheduler, random, faults, tell, injected } = world
  const instances = new Map<string, Instance>()
  let failure: Error | undefined
  let visitors = 0

  const start = (name: string) => void instances.set(name, startInstance(name, world, crash, failed))
  const failed = (life: Life) => (error: Error) => {
    if (!life.dead) failure ??= error
  }

  function crash({ name, life }: Instance): void {
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
  /** Stops in good order, unless it dies meanwhile. */
  const stopThen = ({ name, running, life }: Instance, then: () => void) => {
    void running?.stop().then(() => {
      if (life.dead || instances.get(name)?.life !== life) return
      life.kill()
      then()
    }, failed(life))
  }
  const tellAndCount = (fault: string, name: string) => {
    injected(fault)
    tell(name)(`fault: ${fault}`)
  }

  const wrongs: Partial<Record<keyof Faults, (instance: Instance) => void>> = {
    crashes: crash,
    crashesInCommit(instance) {
      instance.doom = random.pick(COMMIT_STEPS)
    },
    pauses({ name, life }) {
      life.pause()
      const ms = random.next() * 4 * SESSION_TIMEOUT_MS
      if (ms > SESSION_TIMEOUT_MS) scheduler.after(SESSION_TIMEOUT_MS, () => expireIfStill(name, life))
      scheduler.after(ms, () => {
        if (!life.dead) tell(name)('goes on')
        life.resume()
      })
    },
    expiries: ({ name }) => log.expire(topology.name, name),
    restarts: (instance) => stopThen(instance, () => start(instance.name)),
    arrivals() {
      const name = `visitor-${visitors++}`
      start(name)
      const life = instances.get(name)!.life
      scheduler.after(random.next() * LONGEST_VISIT_MS, () => {
        const visitor = instances.get(name)!
        if (visitor.life === life) stopThen(visitor, () => instances.delete(name))
      })
    },
    clockJumps: ({ life }) => life.jump((random.next() - 0.5) * 2 * 3_600_000),
    logOutages({ cut }) {
      cut.log = scheduler.now() + random.next() * LONGEST_OUTAGE_MS
    },
    sinkOutages({ cut }) {
      cut.sinks = scheduler.now() + random.next() * LONGEST_OUTAGE_MS
    },
  }
  /** These wait for their moment, and count when it has come. */
  const whenRestoring: Partial<Record<keyof Faults, (instance: Instance) => void>> = {
    crashesInRestore: crash,
    rebalancesInRestore: () => log.expire(topology.name, random.pick([...instances.keys()])),
  }

  function harassOne(instance: Instance): void {
    const isDue = (fault: string) =>
      random.chance((faults()[fault as keyof Faults] * HARASS_EVERY_MS) / 60_000) && !instance.life.dead
    for (const [fault, inflict] of Object.entries(wrongs)) {
      if (!isDue(fault)) continue
      tellAndCount(fault, instance.name)
      inflict(instance)
    }
    for (const [fault, inflict] of Object.entries(whenRestoring)) {
      if (!isDue(fault)) continue
      instance.whenRestoring = () => {
        tellAndCount(fault, instance.name)
        inflict(instance)
      }
    }
  }

  return {
    start,
    harass(durationMs) {
      const until = scheduler.now() + durationMs
      const round = () => {
        if (scheduler.now() >= until) return
        for (const instance of [...instances.values()]) if (!instance.life.dead) harassOne(instance)
        scheduler.after(HARASS_EVERY_MS, round)
      }
      scheduler.after(0, round)
    },
    async settle() {
      for (const instance of instances.values()) {
        instance.life.resume()
        instance.doom = undefined
        instance.whenRestoring = undefined
      }
      for (;;) {
        if (failure) throw failure
        await scheduler.sleep(SETTLE_POLL_MS)
        const all = [...instances.values()]
        if (all.some(({ life, running }) => life.dead || running?.state.phase !== 'running')) continue
        const one = all.map(({ running }) => running!)[0]
        await Promise.race([one.caughtUp(), one.done])
        if (all.every((instance) => instances.get(instance.name) === instance)) return
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
