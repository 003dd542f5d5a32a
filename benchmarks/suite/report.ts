import type { Line } from './run-workload.ts'

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]

/** Lines of one workload under the same circumstances, over all rounds. */
function grouped(lines: readonly Line[]): Line[][] {
  const groups = new Map<string, Line[]>()
  for (const line of lines) {
    const name = [line.peer, line.variant, line.guarantee, line.threads].join('|')
    const group = groups.get(name)
    if (group) group.push(line)
    else groups.set(name, [line])
  }
  return [...groups.values()]
}

/** A table for people: medians over the rounds, and how far the rounds lie apart. */
export function table(lines: readonly Line[]): string {
  const ceiling = lines.filter(({ variant }) => variant === 'consume')
  const best = ceiling.length === 0 ? undefined : median(ceiling.map(({ records_per_s }) => records_per_s))
  const head = [
    'workload',
    'guarantee',
    'threads',
    'n',
    'records/s',
    'min … max',
    'of ceiling',
    'CPU s / M',
    'broker CPU s / M',
    'MB',
    'right',
  ]
  const rows = grouped(lines).map((group) => {
    const { peer, variant, guarantee, threads, n } = group[0]
    const rates = group.map(({ records_per_s }) => records_per_s)
    const rate = median(rates)
    const broker = group.map(({ broker_cpu_s }) => broker_cpu_s)
    return [
      peer === 'millrace' ? variant : `${variant} (${peer})`,
      guarantee,
      String(threads),
      thousands(n),
      thousands(rate),
      group.length > 1 ? `${thousands(Math.min(...rates))} … ${thousands(Math.max(...rates))}` : '',
      best === undefined || guarantee === '' ? '' : (rate / best).toFixed(2),
      median(group.map(({ cpu_s_per_million }) => cpu_s_per_million)).toFixed(2),
      broker[0] === null ? '' : ((median(broker.map((s) => s ?? 0)) / n) * 1e6).toFixed(2),
      String(median(group.map(({ rss_mb }) => rss_mb))),
      group[0].checksum === null ? '' : group.every(({ ok }) => ok) ? 'yes' : 'NO',
    ]
  })
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)))
  return [head, ...rows]
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
    .join('\n')
}

const thousands = (n: number): string => n.toLocaleString('en')
