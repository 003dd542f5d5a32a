import { isRetriable, MillraceError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import type { FetchOptions, LogReader, Position, ReaderOptions } from '../log.ts'
import { fetchFlights, partitionName } from './fetch-flights.ts'
import type { ReadPartition } from './partition-data.ts'
import type { Broker, Transport } from './transport.ts'

/** How long nothing at all may be had before that is an error. */
const PATIENCE_MS = 3000
/** A broker answers at the end of its wait; what comes a little later still belongs to the call. */
const GRACE_MS = 250
/** Pause before a partition that failed is asked for again. */
const PAUSE_MS = 100

/**
 * Reads over the connections of the transport, which it owns. One request per leader is under way at a time; a call
 * ends with the first answer that brings something, and what other leaders bring later is for the next call, if that
 * still wants it. A partition that fails for a while does not keep the others from being read.
 */
export function kafkaReader(transport: Transport, { isolation = 'committed' }: ReaderOptions = {}): LogReader {
  const flights = fetchFlights(transport, isolation)
  /** When partitions that failed may be asked for again. */
  const resting = new Map<string, number>()
  const staleTopics = new Set<string>()
  let failingSince: number | undefined
  let turn = 0

  /** Notes a failure that waiting may cure; throws any other, and this one too when it has lasted too long. */
  function failed(position: Position, error: unknown): void {
    // Whether the topic exists is for the metadata to say: the leader may have moved away.
    const mayPass = isRetriable(error) || (error instanceof MillraceError && error.code === 'MISSING_TOPIC')
    if (!mayPass) throw error
    const now = systemClock.now()
    failingSince ??= now
    if (now - failingSince > PATIENCE_MS) throw error
    staleTopics.add(position.topic)
    resting.set(partitionName(position), now + PAUSE_MS)
  }

  function collect(wanted: ReadonlyMap<string, Position>, answers: Map<string, ReadPartition>): void {
    for (const { position, result } of flights.arrived()) {
      const name = partitionName(position)
      if (wanted.get(name)?.offset !== position.offset) continue
      if (result instanceof Error) {
        failed(position, result)
        continue
      }
      failingSince = undefined
      resting.delete(name)
      if (result.cutOff === undefined) answers.set(name, result)
    }
  }

  /** Sends for every wanted partition that is not answered, asked for or resting. */
  async function launch(
    wanted: ReadonlyMap<string, Position>,
    answers: ReadonlyMap<string, ReadPartition>,
    options: FetchOptions,
  ): Promise<void> {
    const now = systemClock.now()
    const open: Position[] = []
    for (const [name, position] of wanted) {
      if (answers.has(name) || flights.covers(position) || (resting.get(name) ?? 0) > now) continue
      resting.delete(name)
      open.push(position)
    }
    if (open.length === 0) return
    await refreshStale()
    const byLeader = await leadersOf(rotated(open, turn++))
    const maxBytes = Math.max(1, Math.ceil(options.maxBytes / byLeader.size))
    for (const [, { broker, positions }] of byLeader) flights.launch(broker, positions, { ...options, maxBytes })
  }

  async function refreshStale(): Promise<void> {
    if (staleTopics.size === 0) return
    const topics = [...staleTopics]
    staleTopics.clear()
    try {
      await transport.refresh(topics)
    } catch (error) {
      if (!isRetriable(error)) throw error
    }
  }

  async function leadersOf(positions: readonly Position[]) {
    const leaders = await Promise.allSettled(positions.map((p) => transport.leader(p.topic, p.partition)))
    const byLeader = new Map<number, { broker: Broker; positions: Position[] }>()
    for (const [i, leader] of leaders.entries()) {
      if (leader.status === 'rejected') {
        if (!isRetriable(leader.reason)) throw leader.reason
        failed(positions[i], leader.reason)
        continue
      }
      const group = byLeader.get(leader.value.nodeId)
      if (group) group.positions.push(positions[i])
      else byLeader.set(leader.value.nodeId, { broker: leader.value, positions: [positions[i]] })
    }
    return byLeader
  }

  return {
    async fetch(positions, options) {
      const { maxWaitMs, signal } = options
      const wanted = new Map(positions.map((position) => [partitionName(position), position]))
      const answers = new Map<string, ReadPartition>()
      const deadline = systemClock.now() + maxWaitMs + GRACE_MS
      for (;;) {
        collect(wanted, answers)
        const isComplete = wanted.size > 0 && answers.size === wanted.size
        if (isComplete || hasNews(wanted, answers)) return [...answers.values()]
        const now = systemClock.now()
        if (signal?.aborted || now >= deadline) return [...answers.values()]
        await launch(wanted, answers, options)
        const rested = Math.min(...[...wanted.keys()].map((name) => resting.get(name) ?? Infinity))
        await flights.next(Math.min(deadline, rested) - now, signal)
      }
    },
    close: () => transport.close(),
  }
}

/** Brokers serve the partitions in order until the answer is full: each must be first in its turn. */
function rotated<T>(items: readonly T[], turn: number): T[] {
  const first = turn % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}

function hasNews(wanted: ReadonlyMap<string, Position>, answers: ReadonlyMap<string, ReadPartition>): boolean {
  for (const [name, { batches, next, corrupt }] of answers) {
    if (batches.length > 0 || corrupt || next > wanted.get(name)!.offset) return true
  }
  return false
}
