import { differences } from '../common/compare.ts'
import type { Example } from '../common/start.ts'
import { expectedAlerts } from './expected.ts'
import { generate } from './generate.ts'
import { fraud, serdes } from './job.ts'

const ABOUT = `
Fraud: payments are joined with the logins before them and with the countries of
their cards; three payments with foreign cards within any five minutes raise an
alert, which comes with the records it is about.`

export const fraudExample: Example = {
  name: 'fraud',
  about: ABOUT,
  records: 20_000,
  inputs: { payments: serdes.payments, logins: serdes.logins, cards: serdes.cards },
  outputs: ['alerts'],
  generate,
  topology: ({ name }) => fraud(name),
  async check(read, arrivals) {
    const records = await read('alerts', serdes.alerts)
    const alerts = new Map(records.map(({ key: { key, window }, value }) => [`${key}|${window.start}`, value]))
    const users = new Set([...alerts.values()].map(({ user_id }) => user_id))
    const worst = [...alerts.values()].sort((a, b) => b.payments - a.payments)[0]
    return {
      lines: [
        `${alerts.size} windows with alerts, of ${users.size} users`,
        ...(worst ? [`at most: ${worst.user_id}, ${worst.payments} payments in five minutes, ${worst.amount}`] : []),
      ],
      problems: differences('alert', alerts, expectedAlerts(arrivals)),
    }
  },
  next: () => [
    'examples/fraud/job.ts          the job',
    'examples/fraud/expected.ts     the same with plain loops',
    'npm run fraud -- --describe    how it is planned: topics, stores, joins',
    'docs/operators/join.md         the three kinds of joins that it uses',
  ],
}
