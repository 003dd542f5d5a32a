import type { Line } from '../suite/run-workload.ts'

/** A line, and where it belongs. */
export interface PeerLine extends Line {
  readonly job: string
  readonly contestant: string
  readonly round: number
  readonly start_s?: number
  readonly first_result_s?: number
}

/** All rounds of one job, under one guarantee. */
export interface ContestSummary {
  readonly job: string
  readonly guarantee: string
  readonly n: number
  readonly rounds: number
  readonly contestants: readonly Summary[]
}

/** Medians of a contestant with so many threads. CPU is in seconds per million records. */
export interface Summary {
  /** Millrace is `millrace`. */
  readonly name: string
  /** Whose program it is. */
  readonly peer: string
  readonly threads: number
  readonly rate: number
  readonly worst: number
  readonly best: number
  readonly cpu: number
  readonly brokerCpu: number | undefined
  readonly megabytes: number
  readonly start: number | undefined
  readonly firstResult: number | undefined
  readonly isRight: boolean
}

export function summarise(lines: readonly PeerLine[]): ContestSummary[] {
  const contests = Map.groupBy(lines, ({ job, guarantee }) => `${job}|${guarantee}`)
  return [...contests.values()].map((contest) => {
    const { job, guarantee, n } = contest[0]
    const runs = Map.groupBy(contest, ({ contestant, threads }) => `${contestant}|${threads}`)
    return {
      job,
      guarantee,
      n,
      rounds: new Set(contest.map(({ round }) => round)).size,
      contestants: [...runs.values()].map(medians).sort(inOrder),
    }
  })
}

/** With the number of threads with which it is fastest: nobody is compared with less than what another can do. */
export const fastest = ({ contestants }: ContestSummary, name: string): Summary | undefined =>
  contestants.filter((of) => of.name === name).sort((a, b) => b.rate - a.rate)[0]

/** Ours first. The order of a round is by turns; that of a table is not. */
function inOrder(a: Summary, b: Summary): number {
  const place = ({ name, peer }: Summary) => (name === 'millrace' ? 0 : peer === 'millrace' ? 1 : 2)
  return place(a) - place(b) || a.name.localeCompare(b.name) || a.threads - b.threads
}

function medians(lines: readonly PeerLine[]): Summary {
  const rates = lines.map(({ records_per_s }) => records_per_s)
  const perMillion = (line: PeerLine) => line.broker_cpu_s !== null && (line.broker_cpu_s / line.n) * 1e6
  return {
    name: lines[0].contestant,
    peer: lines[0].peer,
    threads: lines[0].threads,
    rate: median(rates)!,
    worst: Math.min(...rates),
    best: Math.max(...rates),
    cpu: median(lines.map(({ cpu_s_per_million }) => cpu_s_per_million))!,
    brokerCpu: median(lines.map(perMillion).filter((cpu) => cpu !== false)),
    megabytes: median(lines.map(({ rss_mb }) => rss_mb))!,
    start: median(lines.flatMap(({ start_s }) => start_s ?? [])),
    firstResult: median(lines.flatMap(({ first_result_s }) => first_result_s ?? [])),
    isRight: lines.every(({ ok }) => ok),
  }
}

const median = (values: readonly number[]): number | undefined => values.toSorted((a, b) => a - b)[values.length >> 1]
