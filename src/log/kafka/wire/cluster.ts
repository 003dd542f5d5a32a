import type { Request } from './request.ts'
import { WireWriter } from './wire-writer.ts'

/** Which versions of which request (by api key) a broker speaks. */
export type ApiVersions = ReadonlyMap<number, { readonly min: number; readonly max: number }>

/** ApiVersions v0: answered before authentication, by every broker. */
export function apiVersionsRequest(): Request<{ error: number; versions: ApiVersions }> {
  return {
    apiKey: 18,
    apiName: 'ApiVersions',
    apiVersion: 0,
    body: Buffer.alloc(0),
    decode: (reader) => ({
      error: reader.int16(),
      versions: new Map(reader.array((r) => [r.int16(), { min: r.int16(), max: r.int16() }] as const)),
    }),
  }
}

/** Levels of the features that the whole cluster has agreed on, by name. */
export type FinalizedFeatures = ReadonlyMap<string, number>

const FINALIZED_FEATURES = 2

/** ApiVersions v3, for what is in its tags (KIP-584). The header of its answer has none, whatever the version. */
export function featuresRequest(): Request<{ error: number; features: FinalizedFeatures }> {
  return {
    apiKey: 18,
    apiName: 'ApiVersions',
    apiVersion: 3,
    body: new WireWriter()
      .tags() // ends the header
      .compactString('millrace')
      .compactString('1')
      .tags()
      .finish(),
    decode(reader) {
      const error = reader.int16()
      reader.compactArray((r) => {
        r.skip(6) // key, oldest and newest version
        r.tags()
      })
      reader.int32() // throttle time
      const features = new Map<string, number>()
      for (let n = reader.uvarint(); n > 0; n--) {
        const tag = reader.uvarint()
        const end = reader.uvarint() + reader.position
        if (tag === FINALIZED_FEATURES) {
          reader.compactArray((r) => {
            features.set(r.compactString(), r.int16())
            r.int16() // the lowest level
            r.tags()
          })
        }
        reader.skip(end - reader.position)
      }
      return { error, features }
    },
  }
}

export interface NodeAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export interface TopicMetadata {
  readonly error: number
  readonly topic: string
  /** Leader -1: none at present. */
  readonly partitions: readonly { readonly partition: number; readonly leader: number }[]
}

export interface ClusterMetadata {
  readonly nodes: readonly NodeAddress[]
  /** -1: none at present. */
  readonly controller: number
  readonly topics: readonly TopicMetadata[]
}

/** Metadata v7, never creating a topic. No topics: only the brokers. */
export function metadataRequest(topics: readonly string[]): Request<ClusterMetadata> {
  return {
    apiKey: 3,
    apiName: 'Metadata',
    apiVersion: 7,
    body: new WireWriter()
      .array(topics, (w, topic) => w.string(topic))
      .boolean(false)
      .finish(),
    decode(reader) {
      reader.int32() // throttle time
      const nodes = reader.array((r) => {
        const node = { nodeId: r.int32(), host: r.string(), port: r.int32() }
        r.nullableString() // rack
        return node
      })
      reader.nullableString() // cluster id
      return { nodes, controller: reader.int32(), topics: reader.array(topicMetadata) }
    },
  }
}

function topicMetadata(reader: Parameters<Request<unknown>['decode']>[0]): TopicMetadata {
  const error = reader.int16()
  const topic = reader.string()
  reader.boolean() // internal
  const partitions = reader.array((r) => {
    r.int16() // error: whatever it is, what counts is whether there is a leader
    const partition = r.int32()
    const leader = r.int32()
    r.int32() // leader epoch
    for (let list = 0; list < 3; list++) r.array((ids) => ids.int32()) // replicas, in sync, offline
    return { partition, leader }
  })
  return { error, topic, partitions }
}

export type CoordinatorType = 'group' | 'transaction'

/** FindCoordinator v2. */
export function findCoordinatorRequest(
  id: string,
  type: CoordinatorType,
): Request<{ error: number; message: string | null; node: NodeAddress }> {
  return {
    apiKey: 10,
    apiName: 'FindCoordinator',
    apiVersion: 2,
    body: new WireWriter()
      .string(id)
      .int8(type === 'group' ? 0 : 1)
      .finish(),
    decode(reader) {
      reader.int32() // throttle time
      return {
        error: reader.int16(),
        message: reader.nullableString(),
        node: { nodeId: reader.int32(), host: reader.string(), port: reader.int32() },
      }
    },
  }
}
