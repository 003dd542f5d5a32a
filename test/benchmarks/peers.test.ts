import { expect, test } from 'vitest'
import { report } from '../../benchmarks/peers/report.ts'
import type { PeerLine } from '../../benchmarks/peers/summary.ts'

const line = (contestant: string, of: Partial<PeerLine> = {}): PeerLine => ({
  job: 'tumbling',
  contestant,
  round: 0,
  peer: contestant,
  variant: 'tumbling',
  guarantee: 'at-least-once',
  n: 1_000_000,
  seconds: 1,
  records_per_s: 1_000_000,
  cpu_s: 1,
  cpu_s_per_million: 1,
  broker_cpu_s: 0.5,
  rss_mb: 400,
  outputs: 1,
  checksum: '00000000',
  ok: true,
  threads: 2,
  cores: 2,
  start_s: 0.4,
  first_result_s: 1.4,
  ...of,
})

const rowOf = (text: string, name: string): string[] =>
  text
    .split('\n')
    .find((row) => row.startsWith(name))!
    .split(/ {2,}/)

test('a row gives the medians over the rounds, and how many times faster and more sparing Millrace is', () => {
  const rates = [300_000, 100_000, 200_000]
  const lines = [
    line('kafka-streams', { records_per_s: rates[0], cpu_s_per_million: 9, round: 0 }),
    line('millrace'),
    line('kafka-streams', { records_per_s: rates[1], cpu_s_per_million: 7, round: 1 }),
    line('kafka-streams', { records_per_s: rates[2], cpu_s_per_million: 8, round: 2 }),
  ]
  const text = report(lines, { markdown: false })
  expect(rowOf(text, 'kafka-streams').slice(0, 6)).toEqual(['kafka-streams', '2', '200,000', '5.0', '8.00', '8.0'])
  expect(text).toContain('median of 3 rounds')
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80)
})

test('each is compared with the number of threads with which it is fastest', () => {
  const lines = [
    line('millrace', { threads: 1, records_per_s: 1_000_000 }),
    line('millrace', { threads: 2, records_per_s: 2_000_000 }),
    line('flink', { threads: 1, records_per_s: 500_000 }),
    line('flink', { threads: 2, records_per_s: 400_000 }),
  ]
  const text = report(lines, { markdown: false })
  expect(rowOf(text, 'tumbling ÷ flink')).toContain('4 ×')
})

test.each([
  { rate: 600_000, verdict: 'NOT YET' },
  { rate: 400_000, verdict: 'reached' },
  { rate: 200_000, verdict: 'aim' },
])('a ratio of 1,000,000 to $rate is $verdict, of at least 2.5 and an aim of 4.5', ({ rate, verdict }) => {
  const text = report([line('millrace'), line('flink', { records_per_s: rate })], { markdown: false })
  expect(rowOf(text, 'tumbling ÷ flink').at(-1)).toBe(verdict)
})

test('a short run is no verdict', () => {
  const lines = ['millrace', 'flink'].map((peer) => line(peer, { n: 50_000 }))
  expect(report(lines, { markdown: false })).toMatch(/tumbling ÷ flink .* too short a run$/m)
})

test('a goal is left out when those who are compared were not run', () => {
  const text = report([line('millrace')], { markdown: true })
  expect(text).not.toContain('÷ flink')
  expect(text).toContain('| tumbling (1 M) | millrace | 2 | 1,000,000 |')
})

test('a wrong result is named', () => {
  const lines = [line('millrace'), line('flink', { ok: false }), line('flink', { round: 1 })]
  expect(report(lines, { markdown: false })).toContain('flink WRONG')
})
