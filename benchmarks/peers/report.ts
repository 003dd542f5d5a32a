import { type Goal, goals, verdict } from './goals.ts'
import { type ContestSummary, fastest, type PeerLine, type Summary, summarise } from './summary.ts'

/** Tables of medians and ratios, one a job, and one of the goals: for a terminal of 80 columns, or in Markdown. */
export function report(lines: readonly PeerLine[], { markdown }: { readonly markdown: boolean }): string {
  const contests = summarise(lines)
  const write = markdown ? inMarkdown : inColumns
  const tables = contests.map((contest) => `${titleOf(contest, markdown)}\n\n${write(tableOf(contest, markdown))}`)
  const reached = goalRows(contests)
  if (reached.length > 0) tables.push(write([['goal', 'at least', 'aim', 'rate', 'CPU', ''], ...reached]))
  return tables.join('\n\n')
}

function titleOf({ job, guarantee, n, rounds }: ContestSummary, markdown: boolean): string {
  const title = markdown ? `**${job}**` : job
  const median = rounds > 1 ? `, median of ${rounds} rounds` : ''
  return `${title}, ${guarantee}: ${thousands(n)} records${median}`
}

/** `×` is how many times faster, or sparing, Millrace is. */
function tableOf(contest: ContestSummary, markdown: boolean): string[][] {
  const head = ['', 'thr.', 'records/s', '×', 'CPU s/M', '×', 'broker', 'MB', 'start', 'first']
  const own = fastest(contest, 'millrace')
  const rows = contest.contestants.map((of) => {
    const ratio = (value: number | undefined) => (value === undefined || of.name === own?.name ? '' : value.toFixed(1))
    return [
      of.isRight ? of.name : `${of.name} WRONG`,
      String(of.threads),
      thousands(of.rate),
      ratio(own && own.rate / of.rate),
      of.cpu.toFixed(2),
      ratio(own && of.cpu / own.cpu),
      seconds(of.brokerCpu),
      thousands(of.megabytes),
      seconds(of.start),
      seconds(of.firstResult),
      ...(markdown ? [spread(of)] : []),
    ]
  })
  return [markdown ? [...head, 'worst … best'] : head, ...rows]
}

const spread = ({ worst, best }: Summary): string => `${thousands(worst)} … ${thousands(best)}`

const goalRows = (contests: readonly ContestSummary[]): string[][] =>
  goals.flatMap((goal) => {
    const contest = contests.find(({ job, guarantee }) => job === goal.job && guarantee === goal.guarantee)
    const reached = contest && goal.measure(contest)
    if (reached === undefined) return []
    const { value, byCpu } = reached
    const figures = [goal.atLeast, goal.aim, value].map((figure) => withUnit(goal, figure))
    return [[goal.title, ...figures, byCpu === undefined ? '' : withUnit(goal, byCpu), verdict(goal, value)]]
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
const seconds = (s: number | undefined): string => s?.toFixed(2) ?? ''
