import { type ContestSummary, fastest, type Summary } from './summary.ts'

/** What Millrace has set itself, in one run with its peers. */
export interface Goal {
  readonly title: string
  readonly job: string
  readonly guarantee: string
  readonly atLeast: number
  readonly aim: number
  /** A shorter run is mostly start and warm-up, and says nothing. */
  readonly leastRecords: number
  /** Seconds: less is better. Otherwise a ratio. */
  readonly unit: '×' | 's'
  /** Undefined when those who are compared were not run. */
  measure(of: ContestSummary): Reached | undefined
}

export interface Reached {
  /** What counts. */
  readonly value: number
  /** Beside a ratio of rates, that of processor time. */
  readonly byCpu?: number
}

const streams = 'kafka-streams'
const flink = 'flink'

function times(job: string, peer: string, atLeast: number, aim: number, guarantee = 'at-least-once'): Goal {
  const title = `${job}${guarantee === 'exactly-once' ? ', exactly once' : ''} ÷ ${peer}`
  const leastRecords = job === 'sliding' ? 100_000 : job === 'join' ? 500_000 : 1_000_000
  return { title, job, guarantee, atLeast, aim, leastRecords, unit: '×', measure: (of) => faster(of, 'millrace', peer) }
}

function faster(of: ContestSummary, one: string, other: string): Reached | undefined {
  const [a, b] = [fastest(of, one), fastest(of, other)]
  return a && b && { value: a.rate / b.rate, byCpu: b.cpu / a.cpu }
}

/** How many times less of something Millrace takes. */
const less =
  (peer: string, what: (of: Summary) => number) =>
  (of: ContestSummary): Reached | undefined => {
    const [own, its] = [fastest(of, 'millrace'), fastest(of, peer)]
    return own && its && { value: what(its) / what(own) }
  }

const tumbling = { job: 'tumbling', guarantee: 'at-least-once', leastRecords: 1_000_000, unit: '×' } as const

export const goals: readonly Goal[] = [
  times('tumbling', streams, 5, 9),
  times('tumbling', flink, 2.5, 4.5),
  times('tumbling', streams, 5, 9, 'exactly-once'),
  times('tumbling', flink, 2.5, 4.5, 'exactly-once'),
  times('repartition', streams, 4, 8),
  times('repartition', flink, 1, 2),
  times('stateless', streams, 2, 4),
  times('stateless', flink, 1.5, 3),
  times('sliding', streams, 10, 50),
  times('join', streams, 4, 10),
  times('join', flink, 3, 10),
  {
    ...tumbling,
    title: 'tumbling, CPU: flink ÷ millrace',
    atLeast: 3,
    aim: 5,
    measure: less(flink, ({ cpu }) => cpu),
  },
  {
    ...tumbling,
    title: 'tumbling, MB: kafka-streams ÷ millrace',
    atLeast: 3,
    aim: 4,
    measure: less(streams, ({ megabytes }) => megabytes),
  },
  {
    ...tumbling,
    title: 'tumbling, own aggregate ÷ built in',
    atLeast: 0.5,
    aim: 0.5,
    measure: (of) => faster(of, 'tumbling-custom', 'millrace'),
  },
  {
    title: 'cold start to first result',
    job: 'first-result',
    guarantee: 'at-least-once',
    atLeast: 1.5,
    aim: 0.5,
    leastRecords: 100_000,
    unit: 's',
    measure(of) {
      const value = fastest(of, 'millrace')?.firstResult
      return value === undefined ? undefined : { value }
    },
  },
]

/** @param records - how many were processed */
export function verdict({ atLeast, aim, leastRecords, unit }: Goal, value: number, records: number): string {
  if (records < leastRecords) return 'too short a run'
  const has = (bound: number) => (unit === 's' ? value <= bound : value >= bound)
  return has(aim) ? 'aim' : has(atLeast) ? 'reached' : 'NOT YET'
}
