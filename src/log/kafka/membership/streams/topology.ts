import { parseTask } from '../../../assignor/tasks.ts'
import type { GroupOptions, GroupSubtopology, NewTopic } from '../../../log.ts'
import type { TaskIds, TopicInfo, WireSubtopology } from './protocol.ts'

/**
 * The topology as the broker wants it. It compares what members send and refuses another one, so everything comes in one
 * order, and the replication factor, which an operator may change from one start to the next, is left out.
 *
 * The topics are there already: the runtime makes them, with either protocol. They are named all the same, with their
 * configuration, so that the broker checks their partitions, and makes a topic that somebody has deleted as it was.
 */
export function wireTopology(options: Pick<GroupOptions, 'topics' | 'tasks' | 'subtopologies'>): WireSubtopology[] {
  const given = options.subtopologies ?? implied(options)
  return [...given].sort((a, b) => compare(a.id, b.id)).map(wireSubtopology)
}

/** Of a group that says only what it reads: every subtopology reads all of it. */
function implied({ topics, tasks }: Pick<GroupOptions, 'topics' | 'tasks'>): GroupSubtopology[] {
  const ids = [...new Set(tasks.map((task) => parseTask(task).subtopology))]
  return ids.map((id) => ({ id, sources: topics, repartitions: [], changelogs: [], writes: [], copartitioned: [] }))
}

function wireSubtopology({ id, sources, repartitions, changelogs, writes, copartitioned }: GroupSubtopology) {
  const sourceTopics = [...new Set(sources)].sort(compare)
  const repartitionSources = repartitions.map((of) => topicInfo(of, of.partitions)).sort(byTopic)
  const groups = copartitioned.map((topics) => ({
    sourceTopics: indexes(sourceTopics, topics),
    repartitionSources: indexes(
      repartitionSources.map(({ topic }) => topic),
      topics,
    ),
  }))
  return {
    id,
    sourceTopics,
    changelogs: changelogs.map((of) => topicInfo(of, 0)).sort(byTopic),
    repartitionSinks: [...new Set(writes)].sort(compare),
    repartitionSources,
    copartitioned: groups.filter((group) => group.sourceTopics.length + group.repartitionSources.length > 1),
  }
}

function topicInfo({ topic, config = {} }: NewTopic, partitions: number): TopicInfo {
  const entries = Object.entries(config).sort(([a], [b]) => compare(a, b))
  return { topic, partitions, replicationFactor: 0, config: entries }
}

function indexes(topics: readonly string[], meant: readonly string[]): number[] {
  return topics.flatMap((topic, index) => (meant.includes(topic) ? [index] : []))
}

/** Task ids of ours, 'subtopology_partition', as the broker writes them. */
export function toTaskIds(tasks: Iterable<string>): TaskIds[] {
  const bySubtopology = Map.groupBy([...tasks].map(parseTask), ({ subtopology }) => subtopology)
  return Array.from(bySubtopology, ([subtopology, parts]) => ({
    subtopology,
    partitions: parts.map(({ partition }) => partition).sort((a, b) => a - b),
  })).sort((a, b) => compare(a.subtopology, b.subtopology))
}

export function fromTaskIds(ids: readonly TaskIds[]): string[] {
  return ids.flatMap(({ subtopology, partitions }) => partitions.map((partition) => `${subtopology}_${partition}`))
}

const byTopic = (a: TopicInfo, b: TopicInfo) => compare(a.topic, b.topic)
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
