import { MillraceError } from '../errors.ts'
import { type Plan, repartitionTopic, type Subtopology } from './plan.ts'

type Source = Subtopology['sources'][number]

/**
 * Works out how many partitions every internal topic has, and how many tasks every subtopology, from the partition
 * counts of the user's topics. A repartition topic has as many as was asked for, or as its writers have tasks; what
 * is joined, or merged in front of something that keeps state by key, must agree. Other topics that a task reads need
 * not: a task then reads those that have its partition. Where records come back to the subtopology that wrote them the
 * topics between follow what comes in from outside.
 *
 * @param known - partition count of a user's topic; undefined when it does not exist
 * @returns counts by topic, and by `subtopology:<id>`
 *
 * Throws `MISSING_TOPIC` and `TOPIC_MISMATCH`.
 */
export function partitionCounts(plan: Plan, known: (topic: string) => number | undefined): Map<string, number> {
  const counts = new Map<string, number>()
  const read = [
    ...plan.subtopologies.flatMap(({ sources }) => sources),
    ...plan.globals.map(({ topic }) => ({ topic, from: undefined })),
  ]
  const missing = read.filter(({ topic, from }) => from === undefined && known(topic) === undefined)
  if (missing.length) {
    const topics = [...new Set(missing.map(({ topic }) => topic))]
    throw new MillraceError('MISSING_TOPIC', `${plural(topics, 'topic')} to read from missing: ${topics.join(', ')}`, {
      topic: topics[0],
      hint: 'create it before starting, or pass createTopics: true to run(…) to have it made',
    })
  }
  const asked = new Map<string, number>()
  const followers = new Set<string>()
  for (const { nodes } of plan.subtopologies) {
    for (const { node } of nodes) {
      if (!node.target?.repartition) continue
      const { partitions, follows } = node.target.repartition
      const topic = repartitionTopic(plan.application, node.target.topic)
      if (partitions !== undefined) asked.set(topic, partitions)
      if (follows) followers.add(topic)
    }
  }
  const given = ({ topic, from }: Source): number | undefined =>
    from === undefined ? known(topic)! : (asked.get(topic) ?? counts.get(topic))
  const resolving = new Set<number>()
  /** Tasks of a subtopology whose records come back to it: as many as what comes in from outside the circle has. */
  const around = (id: number, seen = new Set<number>()): number => {
    if (seen.has(id)) return 0
    seen.add(id)
    const own = plan.subtopologies[id].sources.filter((source) => !source.global)
    return Math.max(0, ...own.map((source) => given(source) ?? around(source.from!, seen)))
  }
  const resolve = (subtopology: Subtopology): number => {
    const name = `subtopology:${subtopology.id}`
    const done = counts.get(name)
    if (done !== undefined) return done
    resolving.add(subtopology.id)
    const of = (source: Source): number =>
      given(source) ?? (resolving.has(source.from!) ? around(source.from!) : resolve(plan.subtopologies[source.from!]))
    const own = subtopology.sources.filter((source) => !source.global)
    for (const group of copartitionGroups(subtopology)) {
      // Repartition topics that are joined take the count of the user's topics, or what was asked for, or the most.
      const members = own.filter(({ topic }) => group.has(topic))
      const isFixed = (source: Source) => source.from === undefined || asked.has(source.topic)
      const free = members.filter((source) => !isFixed(source))
      const fixed = members.filter(isFixed)
      const anchors = fixed.length ? fixed : free.filter(({ topic }) => !followers.has(topic))
      const most = Math.max(...anchors.map(of))
      for (const { topic } of free) counts.set(topic, most)
    }
    for (const source of own) counts.set(source.topic, of(source))
    for (const group of subtopology.copartitioned)
      agree(
        group.filter((topic) => counts.has(topic)),
        counts,
      )
    const tasks = Math.max(1, ...own.map((source) => counts.get(source.topic)!))
    counts.set(name, tasks)
    for (const { changelog } of subtopology.stores) if (changelog) counts.set(changelog, tasks)
    for (const source of subtopology.sources) if (source.global) counts.set(source.topic, known(source.topic)!)
    return tasks
  }
  for (const subtopology of plan.subtopologies) resolve(subtopology)
  for (const { topic } of plan.globals) if (!counts.has(topic)) counts.set(topic, known(topic)!)
  return counts
}

/** Topics that must have equally many partitions: groups that share a topic are one. */
export function copartitionGroups({ copartitioned: groups }: Pick<Subtopology, 'copartitioned'>): Set<string>[] {
  const all: Set<string>[] = []
  for (const group of groups) {
    const one = new Set(group)
    for (const other of all.filter((known) => group.some((topic) => known.has(topic)))) {
      for (const topic of other) one.add(topic)
      all.splice(all.indexOf(other), 1)
    }
    all.push(one)
  }
  return all
}

function agree(group: readonly string[], counts: ReadonlyMap<string, number>): void {
  const different = new Set(group.map((topic) => counts.get(topic)))
  if (different.size <= 1) return
  const listed = group.map((topic) => `${topic} has ${counts.get(topic)}`).join(', ')
  throw new MillraceError(
    'TOPIC_MISMATCH',
    `topics whose records meet by key must have the same number of partitions: ${listed}`,
    {
      topic: group[0],
      hint: "send one of them through repartition('name', { partitions }) first",
    },
  )
}

const plural = (list: readonly unknown[], word: string): string => (list.length === 1 ? `a ${word}` : `${word}s`)
