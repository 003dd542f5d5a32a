import { MillraceError } from '../errors.ts'
import type { GroupSubtopology, Log, NewTopic } from '../log/log.ts'
import { copartitionGroups, partitionCounts } from '../topology/partitions.ts'
import { type Plan, repartitionTopic } from '../topology/plan.ts'

export interface TopicOptions {
  /** Make the user's topics that are missing; default false: that is an error. */
  readonly createTopics: boolean | { readonly partitions?: number; readonly replicationFactor?: number }
  readonly replicationFactor?: number
  readonly deadLetterTopic: string | undefined
}

/**
 * Checks the user's topics, makes the internal ones, and gives the partition count of every topic (and, as
 * `subtopology:<id>`, the number of tasks).
 *
 * Throws `MISSING_TOPIC` and `TOPIC_MISMATCH`, retriable `UNAVAILABLE`.
 */
export async function prepareTopics(log: Log, plan: Plan, options: TopicOptions): Promise<Map<string, number>> {
  const nodes = plan.subtopologies.flatMap((subtopology) => subtopology.nodes.map(({ node }) => node))
  const sources = [
    ...nodes.flatMap((node) => (node.source ? [node.source.topic] : [])),
    ...plan.globals.map(({ topic }) => topic),
  ]
  const targets = nodes.flatMap((node) => (node.target && !node.target.repartition ? [node.target.topic] : []))
  const deadLetters = options.deadLetterTopic === undefined ? [] : [options.deadLetterTopic]
  const users = [...new Set([...sources, ...targets])]
  const known = await log.admin.partitions([...users, ...deadLetters])
  if (options.createTopics) {
    const { partitions = 4, replicationFactor } = options.createTopics === true ? {} : options.createTopics
    await create(
      log,
      known,
      users.map((topic) => ({ topic, partitions, replicationFactor })),
    )
  }
  const counts = partitionCounts(plan, (topic) => known.get(topic))
  const missing = targets.filter((topic) => !known.has(topic))
  if (missing.length) {
    throw new MillraceError('MISSING_TOPIC', `topics to write to are missing: ${[...new Set(missing)].join(', ')}`, {
      topic: missing[0],
      hint: 'create them before starting, or pass createTopics: true to run(…) to have them made',
    })
  }
  await create(log, known, [
    ...internalTopics(plan, counts, options.replicationFactor),
    ...deadLetters.map((topic) => ({
      topic,
      partitions: 1,
      replicationFactor: options.replicationFactor,
      config: { ...ROOM, ...ANY_TIME },
    })),
  ])
  for (const [topic, partitions] of known) if (!counts.has(topic)) counts.set(topic, partitions)
  return counts
}

/** Bytes of the largest batch that each topic takes. Where the log does not say, only writing to it will tell. */
export async function largestBatches(
  log: Log,
  counts: ReadonlyMap<string, number>,
): Promise<(topic: string) => number> {
  const topics = [...counts.keys()].filter((name) => !name.startsWith('subtopology:'))
  const known = await log.admin.largestBatches(topics)
  return (topic) => known.get(topic) ?? Number.POSITIVE_INFINITY
}

/** Creates what is missing, and checks that what is there has the partitions that the plan needs. */
async function create(log: Log, known: Map<string, number>, topics: readonly NewTopic[]): Promise<void> {
  const names = topics.map(({ topic }) => topic)
  for (const [topic, partitions] of await log.admin.partitions(names)) known.set(topic, partitions)
  const missing = topics.filter(({ topic }) => !known.has(topic))
  if (missing.length) {
    await log.admin.create(missing)
    for (const { topic, partitions } of missing) known.set(topic, partitions)
  }
}

/** Brokers refuse times of more than an hour ahead (KIP-937), but what an input holds is for the topology to judge. */
const ANY_TIME = { 'message.timestamp.after.max.ms': '9223372036854775807' }
/**
 * What comes from a topic may be as large as brokers take by default (1 MiB), and gets larger: a dead letter has a reason, a
 * repartitioned record its lane, a state what an aggregate keeps.
 */
const ROOM = { 'max.message.bytes': '4194304' }

// Trimmed behind its readers; nothing in it may go by time before it was read.
const REPARTITION = { 'cleanup.policy': 'delete', 'retention.ms': '-1', ...ROOM, ...ANY_TIME }
// Windows are deleted by tombstones when they expire in stream time (docs/decisions/0004-changelog-retention.md).
const CHANGELOG = { 'cleanup.policy': 'compact', ...ROOM, ...ANY_TIME }

function internalTopics(plan: Plan, counts: ReadonlyMap<string, number>, replicationFactor?: number): NewTopic[] {
  const topics = new Map<string, NewTopic>()
  for (const { repartitions, changelogs } of groupSubtopologies(plan, counts)) {
    for (const of of [...repartitions, ...changelogs]) topics.set(of.topic, { ...of, replicationFactor })
  }
  return [...topics.values()]
}

/** What each subtopology reads, keeps and writes, for a log that spreads the tasks itself. */
export function groupSubtopologies(plan: Plan, counts: ReadonlyMap<string, number>): GroupSubtopology[] {
  const distinct = (topics: readonly string[]) => [...new Set(topics)]
  const internal = (topics: readonly string[], config: NewTopic['config']) =>
    distinct(topics).map((topic) => ({ topic, partitions: counts.get(topic)!, config }))
  return plan.subtopologies.map((subtopology) => {
    const { id, nodes, sources, stores } = subtopology
    const own = sources.filter((source) => !source.global)
    const topicsOf = (isInternal: boolean) =>
      own.filter(({ from }) => (from !== undefined) === isInternal).map(({ topic }) => topic)
    const targets = nodes.flatMap(({ node: { target } }) => (target?.repartition ? [target.topic] : []))
    return {
      id: String(id),
      sources: distinct(topicsOf(false)),
      repartitions: internal(topicsOf(true), REPARTITION),
      changelogs: internal(
        stores.flatMap(({ changelog }) => changelog ?? []),
        CHANGELOG,
      ),
      writes: distinct(targets.map((name) => repartitionTopic(plan.application, name))),
      copartitioned: copartitionGroups(subtopology).map((topics) => [...topics]),
    }
  })
}

/** Throws `TOPIC_MISMATCH` when an internal topic that exists has other partition counts than the plan needs. */
export async function checkInternalTopics(log: Log, plan: Plan, counts: ReadonlyMap<string, number>): Promise<void> {
  const wanted = internalTopics(plan, counts)
  const actual = await log.admin.partitions(wanted.map(({ topic }) => topic))
  for (const { topic, partitions } of wanted) {
    const has = actual.get(topic)
    if (has !== undefined && has !== partitions) {
      throw new MillraceError(
        'TOPIC_MISMATCH',
        `internal topic ${topic} has ${has} partitions, the topology needs ${partitions}: an input topic has grown`,
        {
          topic,
          hint: 'state is spread by partition: start over under a new application name, or fix the count with repartition(…, { partitions })',
        },
      )
    }
  }
}
