import { isRetriable, MillraceError, toError } from '../../errors.ts'
import { systemClock } from '../../time.ts'
import { type Link, link, type RawRequest } from './link.ts'
import type { KafkaOptions } from './options.ts'
import {
  type ApiVersions,
  type CoordinatorType,
  findCoordinatorRequest,
  metadataRequest,
  type NodeAddress,
  type TopicMetadata,
} from './wire/cluster.ts'
import { errorCodes, errorName, isRetriableCode, kafkaError } from './wire/error-codes.ts'
import type { Request } from './wire/request.ts'
import { WireReader } from './wire/wire-reader.ts'

export type Broker = NodeAddress

export interface SendOptions {
  /**
   * Requests of different lanes go over different connections. A broker answers the requests of one connection one
   * after the other, so a request that waits there (Fetch, JoinGroup) deserves a lane of its own. Default 0.
   */
  readonly lane?: number
}

/**
 * Connections to the brokers of one cluster, and who leads and coordinates what. All errors are MillraceErrors:
 * a retriable `UNAVAILABLE` for whatever waiting may cure, `AUTHENTICATION_FAILED`, `CLOSED` after `close`.
 */
export interface Transport {
  /** Reaches one of the brokers and learns of the others. */
  connect(): Promise<void>
  close(): Promise<void>
  /** Asks anew who leads the partitions of these topics; without topics, of all that were ever asked for. */
  refresh(topics?: readonly string[]): Promise<void>
  /** Partition counts, asked anew; topics that do not exist are left out. */
  partitions(topics: readonly string[]): Promise<Map<string, number>>
  /** From memory if possible: `refresh` when the broker says NOT_LEADER. Throws `MISSING_TOPIC`. */
  leader(topic: string, partition: number): Promise<Broker>
  /** Asked anew on every call: keep it until the broker says NOT_COORDINATOR or cannot be reached. */
  coordinator(id: string, type: CoordinatorType): Promise<Broker>
  /** Asked anew on every call. */
  controller(): Promise<Broker>
  versions(broker: Broker): Promise<ApiVersions>
  /** Calls the listener whenever a connection that worked is lost, until `close`. */
  onBreak(listener: () => void): void
  /** Resolves to what follows the correlation id in the answer. */
  send(broker: Broker, request: RawRequest, options?: SendOptions): Promise<Buffer>
  /** The brokers known at present. */
  brokers(): readonly Broker[]
  /** Sends a request to one broker after the other until one answers. */
  callAny<Answer>(request: Request<Answer>): Promise<Answer>
  /** Sends a request and reads its answer. */
  call<Answer>(broker: Broker, request: Request<Answer>, options?: SendOptions): Promise<Answer>
}

/** Waits for a group or transaction coordinator that is being elected, or created on a fresh cluster. */
const COORDINATOR_PATIENCE_MS = 10_000

export function transport(options: KafkaOptions): Transport {
  const seeds = options.brokers.map(parseAddress)
  if (seeds.length === 0)
    throw new MillraceError('INVALID_OPTION', 'kafka({ brokers }) needs the address of at least one broker')
  const requestTimeout = options.requestTimeoutMs ?? 30_000
  const links = new Map<string, Link>()
  const topics = new Map<string, TopicMetadata>()
  const lookups = new Map<string, Promise<void>>()
  let nodes: readonly Broker[] = []
  let controllerId = -1
  let isClosed = false
  let hasBroken = () => {}

  function linkTo({ host, port }: Broker, lane: number): Link {
    if (isClosed) throw new MillraceError('CLOSED', 'the connections to Kafka were closed')
    const name = `${host}:${port}/${lane}`
    let found = links.get(name)
    if (!found) links.set(name, (found = link(host, port, options, () => !isClosed && hasBroken())))
    return found
  }

  async function call<Answer>(broker: Broker, request: Request<Answer>, { lane = 0 }: SendOptions = {}) {
    const timeoutMs = request.waitMs === undefined ? undefined : requestTimeout + request.waitMs
    const answer = await linkTo(broker, lane).send(timeoutMs === undefined ? request : { ...request, timeoutMs })
    try {
      return request.decode(new WireReader(answer))
    } catch (cause) {
      const what = `the answer of ${broker.host}:${broker.port} to ${request.apiName} v${request.apiVersion}`
      throw new MillraceError('INTERNAL', `${what} cannot be read`, { cause })
    }
  }

  /** Asks brokers in turn, connected ones first, until one answers. */
  async function callAny<Answer>(request: Request<Answer>): Promise<Answer> {
    const known = [...nodes].sort(() => Math.random() - 0.5)
    const candidates = [...known.filter((node) => linkTo(node, 0).isOpen()), ...known, ...seeds]
    const tried = new Set<string>()
    let failure: Error | undefined
    for (const broker of candidates) {
      const address = `${broker.host}:${broker.port}`
      if (tried.has(address)) continue
      tried.add(address)
      try {
        return await call(broker, request)
      } catch (error) {
        // What waiting cannot cure is more telling than an unreachable broker before or after it.
        if (!failure || !isRetriable(error)) failure = toError(error)
        if (error instanceof MillraceError && error.code === 'CLOSED') throw error
      }
    }
    throw failure
  }

  async function refresh(names: readonly string[] = [...topics.keys()]): Promise<readonly TopicMetadata[]> {
    const answer = await callAny(metadataRequest(names))
    // A broker that has just started, or one that takes the connection for not authenticated, names none, not even itself.
    if (answer.nodes.length === 0)
      throw new MillraceError('UNAVAILABLE', 'Kafka names no broker that could be used at present', { retriable: true })
    nodes = answer.nodes
    controllerId = answer.controller
    for (const topic of answer.topics) {
      if (topic.error === errorCodes.NONE || isRetriableCode(topic.error)) topics.set(topic.topic, topic)
      else topics.delete(topic.topic)
    }
    return answer.topics
  }

  /** One request at a time and topic, however many ask. */
  function lookUp(topic: string): Promise<void> {
    let pending = lookups.get(topic)
    if (!pending) {
      pending = refresh([topic])
        .then(([answer]) => {
          if (answer.error === errorCodes.UNKNOWN_TOPIC_OR_PARTITION) throw missing(topic)
          if (answer.error !== errorCodes.NONE) throw kafkaError(answer.error, 'looking for the leader', { topic })
        })
        .finally(() => lookups.delete(topic))
      lookups.set(topic, pending)
    }
    return pending
  }

  function node(nodeId: number, what: string): Broker {
    const broker = nodes.find((candidate) => candidate.nodeId === nodeId)
    if (broker) return broker
    throw new MillraceError('UNAVAILABLE', `${what} has no leader at present`, { retriable: true })
  }

  return {
    async connect() {
      await refresh([])
    },
    async close() {
      isClosed = true
      for (const open of links.values()) open.close()
      links.clear()
    },
    async refresh(names) {
      await refresh(names)
    },
    async partitions(names) {
      const counts = new Map<string, number>()
      if (names.length === 0) return counts
      for (const { error, topic, partitions } of await refresh(names)) {
        if (error === errorCodes.NONE) counts.set(topic, partitions.length)
        else if (error !== errorCodes.UNKNOWN_TOPIC_OR_PARTITION) throw kafkaError(error, 'reading metadata', { topic })
      }
      return counts
    },
    async leader(topic, partition) {
      const find = () => topics.get(topic)?.partitions.find((candidate) => candidate.partition === partition)
      if (!find() || find()?.leader === -1) await lookUp(topic)
      const found = find()
      if (!found) {
        const hint = `the topic has ${topics.get(topic)?.partitions.length ?? 0} partitions`
        throw new MillraceError('MISSING_TOPIC', 'the partition does not exist', { topic, partition, hint })
      }
      return node(found.leader, `${topic}/${partition}`)
    },
    async coordinator(id, type) {
      const deadline = systemClock.now() + COORDINATOR_PATIENCE_MS
      for (let wait = 20; ; wait = Math.min(wait * 1.5, 500)) {
        const { error, message, node: found } = await callAny(findCoordinatorRequest(id, type))
        if (error === errorCodes.NONE) return found
        const failure = kafkaError(error, `finding the coordinator of ${type} "${id}"`, { detail: message })
        if (!failure.retriable || isClosed || systemClock.now() > deadline) throw failure
        options.log?.({ level: 'warn', message: `${errorName(error)}: waiting for the coordinator of "${id}"` })
        await systemClock.sleep(wait)
      }
    },
    async controller() {
      await refresh([])
      return node(controllerId, 'the cluster')
    },
    versions: (broker) => linkTo(broker, 0).versions(),
    onBreak(listener) {
      hasBroken = listener
    },
    send: async (broker, request, { lane = 0 } = {}) => linkTo(broker, lane).send(request),
    brokers: () => nodes,
    callAny,
    call,
  }
}

const missing = (topic: string) =>
  new MillraceError('MISSING_TOPIC', 'the topic does not exist', { topic, hint: 'create it, or check the name' })

function parseAddress(address: string): Broker {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address)
  if (!match)
    throw new MillraceError('INVALID_OPTION', `"${address}" in kafka({ brokers }) is not of the form host:port`)
  return { nodeId: -1, host: match[1] ?? match[2], port: Number(match[3]) }
}
