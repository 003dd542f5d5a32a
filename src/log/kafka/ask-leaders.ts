import { isRetriable, type MillraceError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import type { TopicPartition } from '../log.ts'
import type { Broker, Transport } from './transport.ts'
import type { PartitionResult } from './wire/by-topic.ts'
import { errorCodes, kafkaError } from './wire/error-codes.ts'
import type { Request } from './wire/request.ts'

const PATIENCE_MS = 10_000

/**
 * Asks the leader of each partition, in one request per broker, and again those that were not the leader any more or
 * could not be reached. Throws what the first other error means.
 */
export async function askLeaders<P extends TopicPartition, R extends PartitionResult>(
  transport: Transport,
  partitions: readonly P[],
  what: string,
  request: (partitions: readonly P[]) => Request<readonly R[]>,
): Promise<R[]> {
  const results: R[] = []
  const deadline = systemClock.now() + PATIENCE_MS
  let open = partitions
  for (let wait = 20; open.length > 0; wait = Math.min(wait * 2, 1000)) {
    const failed: P[] = []
    let failure: unknown
    const ask = async (broker: Broker, mine: readonly P[]) => {
      try {
        const byPartition = new Map(mine.map((item) => [`${item.topic}/${item.partition}`, item]))
        for (const result of await transport.call(broker, request(mine))) {
          if (result.error === errorCodes.NONE) results.push(result)
          else {
            const item = byPartition.get(`${result.topic}/${result.partition}`)!
            const error = kafkaError(result.error, what, {
              topic: item.topic,
              partition: item.partition,
              ...offset(item),
            })
            if (!isPassing(error)) throw error
            failure = error
            failed.push(item)
          }
        }
      } catch (error) {
        if (!isRetriable(error)) throw error
        failure = error
        failed.push(...mine)
      }
    }
    try {
      const byLeader = await groupByLeader(transport, open)
      await Promise.all([...byLeader].map(([broker, mine]) => ask(broker, mine)))
      open = failed
    } catch (error) {
      if (!isRetriable(error)) throw error
      failure = error
    }
    if (open.length === 0) break
    if (systemClock.now() > deadline) throw failure
    await systemClock.sleep(wait)
    await transport.refresh([...new Set(open.map(({ topic }) => topic))]).catch((error) => {
      if (!isRetriable(error)) throw error
    })
  }
  return results
}

/** Partitions by the broker that leads them. Throws `MISSING_TOPIC`, retriable `UNAVAILABLE`. */
export async function groupByLeader<P extends TopicPartition>(
  transport: Transport,
  partitions: readonly P[],
): Promise<Map<Broker, P[]>> {
  const leaders = await Promise.all(partitions.map(({ topic, partition }) => transport.leader(topic, partition)))
  const brokers = new Map<number, Broker>()
  const groups = new Map<Broker, P[]>()
  for (let i = 0; i < partitions.length; i++) {
    const leader = leaders[i]
    const broker = brokers.get(leader.nodeId) ?? leader
    brokers.set(leader.nodeId, broker)
    const group = groups.get(broker)
    if (group) group.push(partitions[i])
    else groups.set(broker, [partitions[i]])
  }
  return groups
}

/** A missing topic may have moved or be very new: whether it exists is for the metadata to say. */
const isPassing = (error: MillraceError) => error.retriable || error.code === 'MISSING_TOPIC'

const offset = (item: TopicPartition & { readonly offset?: number }) =>
  item.offset === undefined ? {} : { offset: item.offset }
