import { MillraceError, toError } from '../../errors.ts'
import type { FetchOptions, Isolation, Position, TopicPartition } from '../log.ts'
import { type ReadPartition, readPartition } from './partition-data.ts'
import type { Broker, Transport } from './transport.ts'
import { errorCodes, kafkaError } from './wire/error-codes.ts'
import { fetchRequest, type PartitionData } from './wire/fetch.ts'

/** Connections per broker; more than one is used only while an earlier fetch, which nobody wants now, waits there. */
const LANES = 3

export type FetchResult = ReadPartition | MillraceError

/** The Fetch requests of one reader that are under way. */
export interface FetchFlights {
  /** Sends one request for these positions. False when too many requests wait at that broker already. */
  launch(broker: Broker, positions: readonly Position[], options: FetchOptions): boolean
  /** Is this position being fetched? */
  covers(position: Position): boolean
  /** What has arrived since the last call, with the position that was asked for. */
  arrived(): { readonly position: Position; readonly result: FetchResult }[]
  /** Resolves when something arrives, after `ms`, or when the signal aborts. */
  next(ms: number, signal?: AbortSignal): Promise<void>
}

interface Flight {
  readonly broker: Broker
  readonly lane: number
  readonly positions: ReadonlyMap<string, Position>
  results?: { readonly position: Position; readonly result: FetchResult }[]
  /** Never rejects. */
  finished: Promise<void>
}

export const partitionName = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`

export function fetchFlights(transport: Transport, isolation: Isolation): FetchFlights {
  const flights = new Set<Flight>()
  /** Partitions whose next batch is larger than the caller's limit, and how large it is. */
  const largerThanLimit = new Map<string, number>()

  function freeLane({ nodeId }: Broker): number {
    let lane = 1
    while ([...flights].some((flight) => flight.lane === lane && flight.broker.nodeId === nodeId)) lane++
    return lane
  }

  function read(position: Position, data: PartitionData): FetchResult {
    if (data.error !== errorCodes.NONE) return kafkaError(data.error, 'fetching', { ...position })
    const name = partitionName(position)
    const result = readPartition(position, data, isolation, largerThanLimit.get(name))
    if (result.cutOff !== undefined) largerThanLimit.set(name, result.cutOff)
    else if (result.next > position.offset || result.corrupt) largerThanLimit.delete(name)
    return result
  }

  return {
    launch(broker, positions, { maxBytes, maxBytesPerPartition, maxWaitMs }) {
      const lane = freeLane(broker)
      if (lane > LANES) return false
      const asked = positions.map((position) => ({
        ...position,
        maxBytes: largerThanLimit.get(partitionName(position)),
      }))
      const request = fetchRequest(asked, {
        maxWaitMs,
        maxBytes: Math.max(maxBytes, ...asked.map((position) => position.maxBytes ?? 0)),
        maxBytesPerPartition,
        isolation,
      })
      const flight: Flight = {
        broker,
        lane,
        positions: new Map(positions.map((position) => [partitionName(position), position])),
        finished: transport
          .call(broker, request, { lane })
          .then(({ error, partitions }) => {
            if (error !== errorCodes.NONE) throw kafkaError(error, 'fetching')
            flight.results = partitions.map((data) => {
              const position = flight.positions.get(partitionName(data))!
              return { position, result: read(position, data) }
            })
          })
          .catch((thrown) => {
            const cause = toError(thrown)
            const error =
              cause instanceof MillraceError ? cause : new MillraceError('INTERNAL', 'fetching failed', { cause })
            flight.results = positions.map((position) => ({ position, result: error }))
          }),
      }
      flights.add(flight)
      return true
    },

    covers(position) {
      const name = partitionName(position)
      for (const { positions } of flights) if (positions.get(name)?.offset === position.offset) return true
      return false
    },

    arrived() {
      const results: { position: Position; result: FetchResult }[] = []
      for (const flight of flights) {
        if (!flight.results) continue
        flights.delete(flight)
        results.push(...flight.results)
      }
      return results
    },

    next: (ms, signal) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, Math.max(ms, 0))
        if (signal?.aborted) return done()
        signal?.addEventListener('abort', done, { once: true })
        for (const { finished } of flights) void finished.then(done)
      }),
  }
}
