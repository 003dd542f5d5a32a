import { type Goal, goals, verdict } from './goals.ts'
import { type ContestSummary, fastest, type PeerLine, type Summary, summarise } from './summary.ts'

/** Medians and ratios, and what they say of the goals: for a terminal of 80 columns, or as two tables of Markdown. */
export function report(lines: readonly PeerLine[], { markdown }: { readonly markdown: boolean }): string {
  const contests = summarise(lines)
  const medians = markdown
    ? [inMarkdown([['job', 'of', ...head, 'worst … best'], ...contests.flatMap(wideRows)])]
    : contests.map((contest) => `${titleOf(contest)}\n\n${inColumns([['', ...head], ...rowsOf(contest)])}`)
  const reached = goalRows(contests)
  if (reached.length === 0) return medians.join('\n\n')
  const write = markdown ? inMarkdown : inColumns
  return [...medians, write([['goal', 'at least', 'aim', 'rate', 'CPU', ''], ...reached])].join('\n\n')
}

function titleOf({ job, guarantee, n, rounds }: ContestSummary): string {
  const median = rounds > 1 ? `, median of ${rounds} rounds` : ''
  return `${job}, ${guarantee}: ${thousands(n)} records${median}`
}

const head = ['thr.', 'records/s', '×', 'CPU s/M', '×', 'broker', 'MB', 'start', 'first']

/** `×` is how many times faster, or sparing, Millrace is. */
function rowsOf(contest: ContestSummary): string[][] {
  const own = fastest(contest, 'millrace')
  return contest.contestants.map((of) => {
    const ratio = (value: number | undefined) => (value === undefined || of.name === own?.name ? '' : value.toFixed(1))
    return [
      of.isRight ? of.name : `${of.name} WRONG`,
      String(of.threads),
      thousands(of.rate),
      ratio(own && own.rate / of.rate),
      of.cpu.toFixed(2),
      ratio(own && of.cpu / own.cpu),
      fixed(of.brokerCpu),
      thousands(of.megabytes),
      fixed(of.start),
      fixed(of.firstResult),
    ]
  })
}

/** The job stands in the first of its rows. */
const wideRows = (contest: ContestSummary): string[][] =>
  rowsOf(contest).map((row, i) => [
    i === 0
      ? `${contest.job}${contest.guarantee === 'exactly-once' ? ', exactly once' : ''} (${short(contest.n)})`
      : '',
    ...row,
    spread(contest.contestants[i]),
  ])

const spread = ({ worst, best }: Summary): string => `${short(worst)} … ${short(best)}`

const goalRows = (contests: readonly ContestSummary[]): string[][] =>
  goals.flatMap((goal) => {
    const contest = contests.find(({ job, guarantee }) => job === goal.job && guarantee === goal.guarantee)
    if (contest === undefined) return []
    const reached = goal.measure(contest)
    if (reached === undefined) return []
    const { value, byCpu } = reached
    const figures = [goal.atLeast, goal.aim, value].map((figure) => withUnit(goal, figure))
    return [[goal.title, ...figures, byCpu === undefined ? '' : withUnit(goal, byCpu), verdict(goal, value, contest.n)]]
  })

const withUnit = ({ unit }: Goal, value: number): string => `${Number(value.toFixed(value < 3 ? 2 : 1))} ${unit}`

function inColumns(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows)
  const padded = rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))))
  return padded.map((row) => row.join('  ').trimEnd()).join('\n')
}

function inMarkdown([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...rows].map(line).join('\n')
}

const widthsOf = (rows: readonly (readonly string[])[]): number[] =>
  rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)))

const thousands = (n: number): string => n.toLocaleString('en')
const short = (n: number): string => (n < 1e6 ? `${Math.round(n / 1e3)} k` : `${Number((n / 1e6).toFixed(2))} M`)
const fixed = (x: number | undefined): string => x?.toFixed(2) ?? ''
