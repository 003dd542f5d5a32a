import { MillraceError } from '../../errors.ts'
import { type MemoryLog, memoryLog } from '../../log/memory.ts'
import type { SchemaRegistry } from '../../serde/serde.ts'
import type { DiskState } from '../../topology/disk-table.ts'
import { plan } from '../../topology/plan.ts'
import type { Topology } from '../../topology/topology.ts'
import { encodeInput, type SimulatedInput, type TopicRecord, topicContents, userTopics } from './contents.ts'
import { ALL_FAULTS, type Faults, NO_FAULTS } from './faults.ts'
import type { Surroundings } from './instance.ts'
import { createInstances, type Instances } from './instances.ts'
import { type Random, seededRandom } from './random.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { LATE_WRITE_MS, type Refusal, type SimulatedRow, simulatedSinks } from './simulated-sink.ts'
import { memorySnapshots } from './simulated-snapshots.ts'

export interface SimulationOptions {
  /** Decides everything that happens: the same seed gives the same run, call by call. */
  readonly seed: number
  /** Records for the topics that the topology reads, in the order in which they are written. */
  readonly input: readonly SimulatedInput[]
  /** What goes wrong, over `ALL_FAULTS`; `NO_FAULTS` for a quiet run. */
  readonly faults?: Partial<Faults>
  /** Default 2. */
  readonly instances?: number
  /** Partitions of the user's topics. Default 2. */
  readonly partitions?: number
  /** For how long input arrives and things go wrong, ms of virtual time. Default 3,000. */
  readonly durationMs?: number
  /** For how long it runs on once it has recovered and caught up, ms of virtual time: for timers of the wall clock. Default 0. */
  readonly restMs?: number
  readonly guarantee?: 'exactly-once' | 'at-least-once'
  /** As for `run`: standbys take over from those that die. Default 0. */
  readonly standbys?: number
  /** As for `run`; small, so that states are warmed up. Default 10,000. */
  readonly acceptableLag?: number
  /** For Avro serdes: `memoryRegistry()`. */
  readonly registry?: SchemaRegistry
  /** Rows that sinks refuse: by the name of the sink, and the row. They end up in the dead letters. Default: none. */
  readonly refuses?: Refusal
  /** Keeps state on disk: called for each start of an instance. `diskState(directory)` of `millrace/disk`. */
  readonly state?: (instance: string) => DiskState
  /** Called with each line of the trace as it happens: what is left of a run that fails or does not end. */
  readonly onTrace?: (line: string) => void
}

/** How a simulation went, and what the world looks like after it. */
export interface Simulation {
  readonly seed: number
  /** What a committed reader finds in a topic, partition by partition. */
  records<K = unknown, V = unknown>(topic: string): TopicRecord<K, V>[]
  /** What a sink holds, by its name: all rows of an append sink, the newest of each key of an upsert sink. */
  rows<K = unknown, V = unknown>(sink: string): SimulatedRow<K, V>[]
  /** Every call and every fault, with its virtual time. Equal for equal seeds. */
  readonly trace: readonly string[]
  /** How often each kind of fault was injected. */
  readonly injected: ReadonlyMap<string, number>
  /** What came of it, as the log and the sinks have seen it: stale stamps refused, batches written again, tasks moved. */
  readonly observed: ReadonlyMap<string, number>
}

/** How long it may take to recover once nothing goes wrong any more, ms of virtual time. */
const RECOVERY_LIMIT_MS = 5 * 60_000
const LATE_MARKERS_MS = 100

/**
 * Runs a topology as `run` does, several instances of it, over a log in memory and in virtual time, while things go
 * wrong: crashes between any two calls and before each step of the commit, zombies, lost answers, rebalances at any
 * moment, sinks that are away or slow, snapshots that fail or are cut, clocks that jump. Then lets it recover, stop, and shows what came out.
 *
 * With 'exactly-once' the topics and sinks must hold what a quiet run leaves there. Functions of the topology must be
 * pure, as always. Throws `INTERNAL`, with the seed, when the instances do not recover, and whatever an instance fails of.
 *
 * @example
 * ```ts
 * const quiet = await simulate(shop, { seed: 1, input, faults: NO_FAULTS })
 * const rough = await simulate(shop, { seed: 42, input })
 * deepEqual(latest(rough.records('revenue')), latest(quiet.records('revenue')))
 * ```
 */
export function simulate(topology: Topology, options: SimulationOptions): Promise<Simulation> {
  return simulateIn({}, topology, options)
}

/** The same with something between the runtime and its surroundings. */
export async function simulateIn(
  surround: Surroundings,
  topology: Topology,
  options: SimulationOptions,
): Promise<Simulation> {
  const {
    seed,
    partitions = 2,
    instances: count = 2,
    durationMs = 3_000,
    restMs = 0,
    registry,
    refuses = () => false,
  } = options
  const random = seededRandom(seed)
  const scheduler = createScheduler(random, 1_700_000_000_000)
  const began = scheduler.now()
  let faults: Faults = { ...ALL_FAULTS, ...options.faults }
  const trace: string[] = []
  const injected = new Map<string, number>()
  const observed = new Map<string, number>()
  const countIn = (counts: Map<string, number>) => (what: string) => void counts.set(what, (counts.get(what) ?? 0) + 1)
  const states: DiskState[] = []
  const { state: openState } = options
  const state = openState && ((name: string) => states[states.push(openState(name)) - 1])
  const tell = (who: string) => (what: string) => {
    const line = `${(scheduler.now() - began).toFixed(1)} ${who} ${what}`
    trace.push(line)
    options.onTrace?.(line)
  }

  const planned = plan(topology)
  const markersMs = () => {
    if (!random.chance(faults.lateMarkers)) return 0
    countIn(injected)('lateMarkers')
    return random.next() * LATE_MARKERS_MS
  }
  const log = memoryLog({ clock: scheduler, markersMs })
  const sinks = simulatedSinks({
    random,
    scheduler,
    lateWrites: () => faults.sinkLateWrites,
    refuses,
    injected: countIn(injected),
    observed: countIn(observed),
  })
  const instances = createInstances({
    topology,
    log,
    scheduler,
    random,
    sinks,
    faults: () => faults,
    tell,
    injected: countIn(injected),
    observed: countIn(observed),
    state,
    surround,
    snapshots: memorySnapshots(),
    run: {
      registry,
      guarantee: options.guarantee ?? 'exactly-once',
      standbys: options.standbys,
      acceptableLag: options.acceptableLag,
    },
  })

  const live = async () => {
    await log.connect()
    await log.admin.create(userTopics(planned).map((topic) => ({ topic, partitions })))
    for (let i = 0; i < count; i++) instances.start(`instance-${i}`)
    instances.harass(durationMs)
    await feed(log, encodeInput(planned, options.input, partitions, registry), random, scheduler, durationMs)
    await scheduler.sleep(began + durationMs - scheduler.now())
    faults = NO_FAULTS
    tell('world')('nothing goes wrong from here on')
    await instances.settle()
    if (restMs > 0) {
      await scheduler.sleep(restMs)
      await instances.settle()
    }
    await instances.stop()
    // What is on its way to a sink arrives.
    await scheduler.sleep(LATE_WRITE_MS)
  }
  try {
    await scheduler.drive(live(), durationMs + RECOVERY_LIMIT_MS)
  } catch (error) {
    throw withSeed(error, seed, instances)
  } finally {
    for (const of of states) of.close()
  }
  const contents = await topicContents(planned, log, registry)
  return {
    seed,
    records: <K, V>(topic: string) => (contents.get(topic) ?? []) as TopicRecord<K, V>[],
    rows: <K, V>(sink: string) => sinks.rows(sink) as SimulatedRow<K, V>[],
    trace,
    injected,
    observed,
  }
}

/** Writes the input in batches of any size at any time. */
async function feed(
  log: MemoryLog,
  input: ReturnType<typeof encodeInput>,
  random: Random,
  scheduler: Scheduler,
  durationMs: number,
): Promise<void> {
  const producer = log.producer()
  await producer.init()
  for (let done = 0; done < input.length; ) {
    await scheduler.sleep((random.next() * durationMs * 2 * 16) / Math.max(16, input.length))
    for (const { topic, partition, bytes } of input.batches(done, (done += 1 + random.below(31)))) {
      await producer.send(topic, partition, bytes)
    }
  }
  await producer.close()
}

function withSeed(error: unknown, seed: number, instances: Instances): MillraceError {
  const message = error instanceof Error ? error.message : String(error)
  return new MillraceError('INTERNAL', `simulation with seed ${seed} failed: ${message}`, {
    cause: error,
    hint: `run it again with seed ${seed}; state of the instances: ${instances.describe()}`,
  })
}
