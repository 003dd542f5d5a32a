const HOUR = 3_600_000

/** What the path of a lake file says: `topic=orders/dt=2025-06-15/hour=07/3-1200-1450.avro`. */
export interface LakeFileName {
  readonly topic: string
  /** UTC day of the rows' record time, '2025-06-15'. */
  readonly dt: string
  /** UTC hour of the rows' record time, 0 to 23. */
  readonly hour: number
  readonly partition: number
  /** The file holds all rows of this hour that come from source offsets firstOffset to lastOffset, both included. */
  readonly firstOffset: number
  readonly lastOffset: number
}

/** The path below the lake's root. Names are Hive's, so that Spark and others see topic, dt and hour as columns. */
export function lakePath(file: LakeFileName): string {
  const { topic, dt, hour, partition, firstOffset, lastOffset } = file
  const folder = `topic=${encodeURIComponent(topic)}/dt=${dt}/hour=${String(hour).padStart(2, '0')}`
  return `${folder}/${partition}-${firstOffset}-${lastOffset}.avro`
}

const PATH = /^topic=([^/]+)\/dt=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/(\d+)-(\d+)-(\d+)\.avro$/

/** The opposite of {@link lakePath}; undefined for a path that is not one of ours. */
export function parseLakePath(path: string): LakeFileName | undefined {
  const match = PATH.exec(path)
  if (!match) return undefined
  const [, topic, dt, hour, partition, firstOffset, lastOffset] = match
  return {
    topic: decodeURIComponent(topic!),
    dt: dt!,
    hour: Number(hour),
    partition: Number(partition),
    firstOffset: Number(firstOffset),
    lastOffset: Number(lastOffset),
  }
}

/** The order of paths, with numbers as numbers: offset 200 comes before 1000. */
export function compareLakeFiles(a: LakeFileName, b: LakeFileName): number {
  return (
    compare(a.topic, b.topic) ||
    compare(a.dt, b.dt) ||
    a.hour - b.hour ||
    a.partition - b.partition ||
    a.firstOffset - b.firstOffset ||
    a.lastOffset - b.lastOffset
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** First and last instant that a `dt=YYYY-MM-DD` folder can name. */
const FIRST_TIME = Date.parse('0000-01-01T00:00:00Z')
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z')

/** The hour of a time in ms, counted from the epoch; undefined when no folder can be named after it. */
export function hourOf(time: number): number | undefined {
  return time >= FIRST_TIME && time <= LAST_TIME ? Math.floor(time / HOUR) : undefined
}

/** The folder of an hour as counted by {@link hourOf}. */
export function hourFolder(hour: number): { dt: string; hour: number } {
  const iso = new Date(hour * HOUR).toISOString()
  return { dt: iso.slice(0, 10), hour: Number(iso.slice(11, 13)) }
}
