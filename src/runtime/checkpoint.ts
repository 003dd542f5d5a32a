import { MillraceError } from '../errors.ts'

/** What travels with the committed offsets of a task: where time stood, and what the sinks were about to write. */
export interface Checkpoint {
  /** Stream time per operator, one number per lane. */
  readonly times: Readonly<Record<string, readonly number[]>>
  /**
   * Set when append sinks were about to be written: next offset by topic. After a crash exactly this range is processed
   * again, so that the sinks see the same batches.
   */
  readonly plan?: Readonly<Record<string, number>>
  /** Tells this state from another of the same name, on another cluster or after a start from nothing: see snapshots. */
  readonly identity?: string
}

/** Kafka's default offset.metadata.max.bytes. */
const LIMIT = 4096

/**
 * As text for the metadata of an offset commit. Times are written as the distance to the newest in base 36, since a
 * task may have many lanes and a broker takes 4,096 bytes.
 */
export function encodeCheckpoint({ times, plan, identity }: Checkpoint): string {
  const text = JSON.stringify({
    v: 1,
    t: Object.fromEntries(Object.entries(times).map(([node, lanes]) => [node, packTimes(lanes)])),
    ...(plan && { p: plan }),
    ...(identity !== undefined && { i: identity }),
  })
  if (text.length > LIMIT) {
    throw new MillraceError('INTERNAL', `a checkpoint of ${text.length} bytes does not fit into an offset commit`, {
      hint: 'use fewer upstream partitions, or raise offset.metadata.max.bytes on the broker',
    })
  }
  return text
}

/** Reads what `encodeCheckpoint` wrote; anything else (another program's offsets) is an empty checkpoint. */
function decodeCheckpoint(text: string | undefined): Checkpoint {
  if (!text?.startsWith('{"v":1,')) return { times: {} }
  const { t, p, i } = JSON.parse(text) as { t: Record<string, string>; p?: Record<string, number>; i?: string }
  return {
    times: Object.fromEntries(Object.entries(t).map(([node, packed]) => [node, unpackTimes(packed)])),
    ...(p && { plan: p }),
    ...(i !== undefined && { identity: i }),
  }
}

/**
 * The checkpoint of a task out of what lies with the offsets of its topics. It is written with each of them, since the next
 * version of a topology may read fewer, or more, and these in one task that were in two: time is the latest that any
 * of them knows, and each topic knows how far it was planned.
 */
export function checkpointOf(found: ReadonlyMap<string, string | undefined>): Checkpoint {
  const times: Record<string, readonly number[]> = {}
  const planned: Record<string, number> = {}
  let identity: string | undefined
  for (const [topic, text] of found) {
    const { times: ofTopic, plan, identity: of } = decodeCheckpoint(text)
    for (const [node, lanes] of Object.entries(ofTopic)) times[node] = later(lanes, times[node] ?? [])
    if (plan?.[topic] !== undefined) planned[topic] = plan[topic]
    identity ??= of
  }
  return {
    times,
    ...(Object.keys(planned).length > 0 && { plan: planned }),
    ...(identity !== undefined && { identity }),
  }
}

const later = (a: readonly number[], b: readonly number[]): readonly number[] =>
  (a.length < b.length ? b : a).map((_, lane) => Math.max(a[lane] ?? -1, b[lane] ?? -1))

function packTimes(lanes: readonly number[]): string {
  const newest = Math.max(...lanes)
  return [newest, ...lanes.map((time) => newest - time)].map((n) => n.toString(36)).join(' ')
}

function unpackTimes(packed: string): number[] {
  const [newest, ...behind] = packed.split(' ').map((n) => Number.parseInt(n, 36))
  return behind.map((distance) => newest - distance)
}
