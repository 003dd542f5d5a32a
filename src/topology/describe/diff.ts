import type { Topology } from '../topology.ts'
import { descriptionOf, type StoreDescription, type TopicDescription, type TopologyDescription } from './description.ts'
import type { Plain } from './plain.ts'

/** One thing that an upgrade changes, and what it means for the data that is there. */
export interface TopologyChange {
  readonly what: 'application' | 'topic' | 'store' | 'sink'
  readonly name: string
  readonly change: 'added' | 'removed' | 'changed'
  /** What changed, as 'field: before → after'; empty where something was added or removed. */
  readonly details: readonly string[]
  /**
   * 'none': goes on as it was. 'new': starts empty, or from the group's first offset. 'left': stays on the log or in
   * the system, unused. 'breaking': what was written by the version before cannot be used as it is.
   */
  readonly effect: 'none' | 'new' | 'left' | 'breaking'
  /** What to know or to do before the new version starts. */
  readonly advice: string
}

export interface TopologyDiff {
  readonly changes: readonly TopologyChange[]
  /** True when state or records of the version before cannot be used as they are. */
  readonly breaking: boolean
  /** For people, at 80 columns where names allow it. */
  readonly text: string
}

/**
 * What an upgrade from one version of a topology to another changes on the log: topics, stores and sinks that come, go,
 * or mean something else, each with what to do about it. Operators that keep nothing may come and go freely and are
 * not listed.
 *
 * Either version may be given as the JSON that `describe` gave at the time of its release. Throws `INVALID_TOPOLOGY`.
 *
 * @example
 * ```ts
 * const released: TopologyDescription = JSON.parse(await readFile('shop-1.4.json', 'utf8'))
 * const { breaking, text } = diff(released, shop)
 * if (breaking) throw new Error(text)
 * ```
 */
export function diff(before: Topology | TopologyDescription, after: Topology | TopologyDescription): TopologyDiff {
  const [old, young] = [described(before), described(after)]
  const changes =
    old.topology === young.topology
      ? [
          ...compare('topic', topicsOf(old), topicsOf(young), topicChange),
          ...compare('store', storesOf(old), storesOf(young), storeChange),
          ...compare('sink', sinksOf(old), sinksOf(young), sinkChange),
        ]
      : [renamed(old, young)]
  const breaking = changes.some(({ effect }) => effect === 'breaking')
  return { changes, breaking, text: toText(old.topology, changes) }
}

function described(of: Topology | TopologyDescription): TopologyDescription {
  return 'subtopologies' in of ? of : descriptionOf(of)
}

function renamed(before: TopologyDescription, after: TopologyDescription): TopologyChange {
  return {
    what: 'application',
    name: after.topology,
    change: 'changed',
    details: [`name: ${before.topology} → ${after.topology}`],
    effect: 'breaking',
    advice:
      'the name is the consumer group and the prefix of every internal topic: the new version starts from nothing, and reads its topics again',
  }
}

type Named<T> = ReadonlyMap<string, T>
type Judgement = Pick<TopologyChange, 'effect' | 'advice'>

/** Judges what is new (`before` undefined), gone (`after` undefined) or different. */
type Judge<T> = (before: T | undefined, after: T | undefined) => Judgement

function compare<T extends object>(
  what: TopologyChange['what'],
  before: Named<T>,
  after: Named<T>,
  judge: Judge<T>,
): TopologyChange[] {
  const changes: TopologyChange[] = []
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, young] = [before.get(name), after.get(name)]
    const details = old && young ? differences(old, young) : []
    if (old && young && details.length === 0) continue
    const change = old ? (young ? 'changed' : 'removed') : 'added'
    changes.push({ what, name, change, details, ...judge(old, young) })
  }
  return changes
}

/** What of a topic matters on an upgrade. Changelogs are judged with their stores. */
type Topic = Pick<TopicDescription, 'kind' | 'key' | 'value' | 'partitions'> & { readonly read: boolean }

type Store = Omit<StoreDescription, 'store' | 'node' | 'subtopology'>

function topicsOf({ topics }: TopologyDescription): Named<Topic> {
  return new Map(
    topics
      .filter(({ kind }) => kind !== 'changelog')
      .map(({ topic, kind, key, value, partitions, readBy }) => [
        topic,
        { kind, key, value, partitions, read: readBy.length > 0 },
      ]),
  )
}

// Where in the topology they are may change; what they hold may not.
const storesOf = ({ stores }: TopologyDescription): Named<Store> =>
  new Map(stores.map(({ store, node: _, subtopology: __, ...rest }) => [store, rest]))
const sinksOf = ({ sinks }: TopologyDescription): Named<object> =>
  new Map(sinks.map(({ sink, node: _, subtopology: __, ...rest }) => [sink, rest]))

const topicChange: Judge<Topic> = (before, after) => {
  if (before === undefined) {
    if (after!.kind === 'repartition') return { effect: 'new', advice: 'made at the start' }
    return after!.read
      ? { effect: 'new', advice: 'must exist; read from its beginning, since the group has no offsets for it' }
      : { effect: 'new', advice: 'must exist, or be made at the start (createTopics)' }
  }
  if (after === undefined) {
    return before.kind === 'repartition'
      ? {
          effect: 'breaking',
          advice: 'let the version before read it to its end, or what it still holds is lost; then delete it',
        }
      : { effect: 'left', advice: before.read ? 'no longer read' : 'no longer written; what is there stays' }
  }
  if (after.kind === 'repartition') {
    return {
      effect: 'breaking',
      advice:
        before.partitions !== after.partitions
          ? 'keys move to other tasks, away from their state: give it a new name, or reset the application'
          : 'let the version before read it to its end before the new one starts, or give it a new name',
    }
  }
  return { effect: 'breaking', advice: 'the records that are there must be readable in the new format too' }
}

const storeChange: Judge<Store> = (before, after) => {
  if (before === undefined) return { effect: 'new', advice: 'starts empty: it knows only records from now on' }
  if (after === undefined) {
    return {
      effect: 'left',
      advice: before.changelog === undefined ? 'kept nothing' : `delete ${before.changelog} when nobody goes back`,
    }
  }
  return { effect: 'breaking', advice: 'its changelog was written by another definition: give it a new name' }
}

const sinkChange: Judge<object> = (before, after) => {
  if (before === undefined) return { effect: 'new', advice: 'gets results from now on' }
  if (after === undefined) return { effect: 'left', advice: 'what was written stays' }
  return { effect: 'none', advice: 'stop the version before cleanly first, so that no batch of it must be repeated' }
}

/** The leaves in which two plain objects differ. */
function differences(before: object, after: object, path = ''): string[] {
  const [old, young] = [before, after] as Record<string, Plain | undefined>[]
  return [...new Set([...Object.keys(old), ...Object.keys(young)])].flatMap((name) => {
    const [a, b] = [old[name], young[name]]
    if (isObject(a) && isObject(b)) return differences(a, b, `${path}${name}.`)
    return JSON.stringify(a) === JSON.stringify(b) ? [] : [`${path}${name}: ${shown(a)} → ${shown(b)}`]
  })
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const shown = (value: Plain | undefined): string =>
  value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value)

const SIGNS = { added: '+', removed: '-', changed: '~' }

function toText(application: string, changes: readonly TopologyChange[]): string {
  if (changes.length === 0) return `${application}: nothing changes on the log\n`
  return `${changes
    .map(({ what, name, change, details, effect, advice }) =>
      [
        `${SIGNS[change]} ${what} ${name}${effect === 'breaking' ? '   (breaking)' : ''}`,
        ...details.map((detail) => `    ${detail}`),
        `    ${advice}`,
      ].join('\n'),
    )
    .join('\n')}\n`
}
