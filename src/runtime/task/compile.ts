import type { Codec, RecordPart, Serde } from '../../serde/serde.ts'
import { type StreamClock, streamClock } from '../../state/stream-time.ts'
import type { Clock } from '../../time.ts'
import { takesAsRead } from '../../topology/as-read.ts'
import type { AnySerde } from '../../topology/node.ts'
import { type PlannedNode, repartitionTopic, type Subtopology } from '../../topology/plan.ts'
import type { DropReason, Forward, Processor, ProcessorContext } from '../../topology/processor.ts'
import { addDropped, type TaskCounters } from './counters.ts'
import { type Input, input, PLAIN_LANE, type Reader } from './input.ts'
import type { Outbox, RepartitionOutput } from './outbox.ts'
import { type SinkBuffer, sinkBuffer } from './sink-buffer.ts'
import { openStores, type StoresEnvironment, type TaskStores } from './stores.ts'
import type { KeptRecord, WorkingRecord } from './working-record.ts'

/** What a task is made with. */
export interface TaskEnvironment extends StoresEnvironment {
  readonly application: string
  /** Opened before, for this task; absent: new ones. */
  readonly stores?: TaskStores
  /** See `ProcessorContext.emit`. */
  readonly emit: 'update' | 'commit'
  /** Partitions of every topic that the plan reads or writes. */
  partitions(topic: string): number
  /** Stores of global tables, by their spec. */
  readonly globals?: ReadonlyMap<unknown, unknown>
  /** Number of tasks of a subtopology: the lanes of the repartition topics it writes. */
  tasks(subtopology: number): number
  readonly clock: Clock
  /** Something has come back from outside. */
  readonly wake?: () => void
}

/** A subtopology made ready to run for one partition. */
export interface Compiled {
  readonly inputs: readonly Input[]
  /** In topological order. */
  readonly processors: readonly Processor[]
  readonly stores: TaskStores
  /** A marker says that the time of a lane has come this far: every operator hears of it, those upstream first. */
  advance(lane: number, timestamp: number): void
  /** By `clockKey`, and the clock's name where an operator has several. */
  readonly clocks: ReadonlyMap<string, StreamClock>
  readonly sinks: readonly SinkBuffer[]
  /** Codecs that must be prepared before the first record. */
  readonly codecs: readonly Codec<unknown>[]
}

/**
 * What the time of an operator is kept under: its kind and name, which are nobody else's, or its topic. Never a number that
 * counts the operators of a kind: another that is added would take over its time.
 */
export const clockKey = ({ node: { kind, name, source } }: PlannedNode): string => `${kind}:${name ?? source?.topic}`

/** Composes the operators of a subtopology into plain calls, from the last to the first. */
export function compile(
  subtopology: Subtopology,
  partition: number,
  environment: TaskEnvironment,
  record: WorkingRecord,
  out: Outbox,
  counters: TaskCounters,
  fail: (record: KeptRecord, error: unknown) => void,
): Compiled {
  const { nodes, sources: planned } = subtopology
  // Of merged topics some may have fewer partitions than there are tasks.
  const sources = planned.filter(({ topic }) => partition < environment.partitions(topic))
  const processors: Processor[] = new Array(nodes.length)
  const stores = environment.stores ?? openStores(subtopology, partition, environment)
  const clocks = new Map<string, StreamClock>()
  const clocksOf: StreamClock[][] = nodes.map(() => [])
  // How far time has come without records, where it must be told to those who read a repartition topic.
  const told = new Map<number, { readonly clock: StreamClock; readonly to: RepartitionOutput }>()
  const sinks: SinkBuffer[] = []
  const codecs: Codec<unknown>[] = [...stores.codecs]
  const lanes = laneNumbers(sources, environment)

  const open = <T>(serde: Serde<T>, part: RecordPart, topic: string): Codec<T> => {
    const codec = serde.open({ topic, part, registry: environment.registry })
    codecs.push(codec as Codec<unknown>)
    return codec
  }
  const behind = (index: number, output: string): Forward[] =>
    nodes.flatMap((node, child) =>
      node.inputs.flatMap((from, slot) =>
        from.index === index && from.output === output ? [processors[child].inputs[slot]] : [],
      ),
    )

  const topicsOf = (index: number, input: number): readonly string[] => {
    const from = nodes[index].inputs[input].index
    if (from >= 0) return nodes[from].node.emitsResults ? [] : nodes[from].topics
    return sources.filter((source) => source.index === index && source.input === input).map(({ topic }) => topic)
  }

  for (let index = nodes.length - 1; index >= 0; index--) {
    const { id, node, topics, wantsOld } = nodes[index]
    const physical = (topic: string) =>
      node.target?.repartition ? repartitionTopic(environment.application, topic) : topic
    const context: ProcessorContext = {
      node: id,
      record,
      emit: environment.emit,
      wantsOld,
      forward: (output = 'out') => together(behind(index, output)),
      listens: (output) => behind(index, output).length > 0,
      store: <S>(spec: unknown) => (stores.of.get(spec)?.store ?? environment.globals?.get(spec)) as S,
      streamTime(name, input) {
        const of = input === undefined ? topics : topicsOf(index, input)
        const clock = streamClock(lanesOf(of, lanes), record)
        const key = clockKey(nodes[index])
        clocks.set(name === undefined ? key : `${key}/${name}`, clock)
        clocksOf[index].push(clock)
        return clock
      },
      drop: (reason: DropReason, n = 1) => addDropped(counters, id, reason, n),
      now: environment.clock.now,
      sleep: environment.clock.sleep,
      as: record.as,
      keep: record.keep,
      fail: (kept, error) => fail(kept as KeptRecord, error),
      wake: environment.wake ?? (() => {}),
      asRead: takesAsRead(node),
      codec: (serde, part, topic = id) => open(serde as unknown as AnySerde, part, physical(topic)),
      topic(topic) {
        const name = physical(topic)
        const partitions = environment.partitions(name)
        if (!node.target?.repartition) return out.topic(name, partitions)
        const to = out.repartition(name, partitions, partition)
        told.set(index, { clock: streamClock(lanesOf(topics, lanes), record), to })
        return to
      },
      sink(sink, serdes) {
        const buffer = sinkBuffer(id, sink as never, serdes as never, record)
        sinks.push(buffer)
        return buffer.append
      },
    }
    processors[index] = node.processor(context)
  }

  const inputs = new Map<string, Input & { readers: Reader[] }>()
  for (const source of sources) {
    let of = inputs.get(source.topic)
    if (of === undefined) {
      const { topic, from } = source
      const readers: Reader[] = []
      of = {
        ...input({ topic, partition, readers, firstLane: lanes.get(topic)!.first, internal: from !== undefined }),
        readers,
      }
      inputs.set(topic, of)
    }
    of.readers.push({
      node: nodes[source.index].id,
      key: source.key && open(source.key, 'key', source.topic),
      value: source.value && open(source.value, 'value', source.topic),
      receive: processors[source.index].inputs[source.input],
    })
  }
  // An operator's own clock moves just before it is told, so that what it then forwards is not late downstream.
  const advance = (lane: number, timestamp: number) => {
    for (const [index, processor] of processors.entries()) {
      for (const clock of clocksOf[index]) clock.advance(lane, timestamp)
      processor.advance?.()
      const behind = told.get(index)
      if (behind === undefined) continue
      behind.clock.advance(lane, timestamp)
      behind.to.reach(behind.clock.closing)
    }
  }
  return { inputs: [...inputs.values()], processors, stores, advance, clocks, sinks, codecs }
}

function together(next: readonly Forward[]): Forward {
  if (next.length === 0) return () => {}
  if (next.length === 1) return next[0]
  if (next.length === 2) {
    const [a, b] = next
    return (key, value, timestamp, old) => {
      a(key, value, timestamp, old)
      b(key, value, timestamp, old)
    }
  }
  return (key, value, timestamp, old) => {
    for (const forward of next) forward(key, value, timestamp, old)
  }
}

/** Behind an operator that emits results of its own: no upstream task's time is theirs. */
const OWN_LANE = -1

interface Lanes {
  readonly first: number
  readonly count: number
}

/** Plain topics share lane 0; each repartition topic has one lane for every task that writes it. */
function laneNumbers(sources: Subtopology['sources'], environment: TaskEnvironment): Map<string, Lanes> {
  const lanes = new Map<string, Lanes>()
  let next = sources.some((source) => source.from === undefined) ? PLAIN_LANE + 1 : 0
  for (const { topic, from } of sources) {
    if (lanes.has(topic)) continue
    if (from === undefined) lanes.set(topic, { first: PLAIN_LANE, count: 1 })
    else {
      const count = environment.tasks(from)
      lanes.set(topic, { first: next, count })
      next += count
    }
  }
  return lanes
}

function lanesOf(topics: readonly string[], lanes: ReadonlyMap<string, Lanes>): number[] {
  const numbers = new Set<number>()
  for (const topic of topics) {
    const of = lanes.get(topic)
    if (of === undefined) continue
    const { first, count } = of
    for (let lane = first; lane < first + count; lane++) numbers.add(lane)
  }
  return numbers.size ? [...numbers] : [OWN_LANE]
}
