import { join } from 'node:path'
import type { Options } from './options.ts'
import type { Parts } from './parts.ts'
import { number } from './screen.ts'
import type { Verdict } from './verify.ts'

/** What came of a run, for the terminal. */
export function report(
  transactions: number,
  seconds: number,
  verdict: Verdict,
  options: Options,
  { lake, table, ownData }: Pick<Parts, 'lake' | 'table' | 'ownData'>,
): void {
  const { windows, orders, revenue, lakeRows, lakeFiles, late, deadLetters, alertedUsers, problems } = verdict
  console.log(`
${number(transactions)} transactions in the topic, this run took ${seconds.toFixed(1)} s
  ${number(windows)} windows, ${number(orders)} orders, revenue ${number(revenue)}; ${number(late)} orders came too late
  ${number(lakeRows)} records in ${number(lakeFiles)} files of the lake
  ${number(alertedUsers)} users with alerts, ${number(deadLetters)} dead letters
`)
  if (problems.length > 0) {
    console.log(`NOT as the independent computation says (${problems.length} differences):`)
    for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`)
    return
  }
  const data = ownData && options.data !== 'data' ? ` ${options.data}` : ''
  const flags = options.name === 'shop' ? '' : ` --name ${options.name}`
  console.log(`Checked against an independent computation: every window to the cent, every
alert, and every record of the topic: in the lake once, or a dead letter.

Look further:
  npm run -s shop:sql -- "SELECT category, sum(orders) AS orders,
    round(sum(revenue), 2) AS revenue FROM ${table} FINAL
    GROUP BY category ORDER BY revenue DESC"${data}
  ${typeof lake === 'string' && !lake.startsWith('s3:') ? `ls ${join(lake, 'topic=transactions')}/*/*` : `the lake is at ${String(lake)}`}
  npm start${flags ? ` --${flags}` : '                '} goes on with the next transactions
  npm start -- --help       everything else`)
}
