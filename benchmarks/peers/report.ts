import type { Line } from '../suite/run-workload.ts'

/** A line, and where it belongs. */
export interface PeerLine extends Line {
  readonly job: string
  readonly contestant: string
  readonly round: number
  readonly start_s?: number
  readonly first_result_s?: number
}
export function report(lines: readonly PeerLine[], _: { markdown: boolean }): string {
  return lines
    .map((l) =>
      [
        l.job,
        l.guarantee,
        l.contestant,
        l.records_per_s,
        l.cpu_s_per_million,
        l.broker_cpu_s,
        l.rss_mb,
        l.start_s,
        l.first_result_s,
        l.ok,
      ].join('\t'),
    )
    .join('\n')
}
