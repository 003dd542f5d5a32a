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
  readonly threads: number
  readonly rounds: number
  /** By name; Millrace is `millrace`. */
  readonly contestants: ReadonlyMap<string, Summary>
}

/** Medians of a contestant. CPU is in seconds per million records. */
export interface Summary {
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
    const { job, guarantee, n, threads } = contest[0]
    const byName = Map.groupBy(contest, ({ contestant }) => contestant)
    // The order of a round is by turns; that of the table is not.
    const names = [...new Set(['millrace', ...[...byName.keys()].sort()])].filter((name) => byName.has(name))
    return {
      job,
      guarantee,
      n,
      threads,
      rounds: new Set(contest.map(({ round }) => round)).size,
      contestants: new Map(names.map((name) => [name, medians(byName.get(name)!)])),
    }
  })
}

function medians(lines: readonly PeerLine[]): Summary {
  const rates = lines.map(({ records_per_s }) => records_per_s)
  const perMillion = (line: PeerLine) => line.broker_cpu_s !== null && (line.broker_cpu_s / line.n) * 1e6
  return {
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
