import { expect, it } from 'vitest'
import { oneLine, picture, type Scene } from '../../../examples/shop/screen.ts'

const minute = Date.UTC(2026, 0, 1, 12, 30)
const scene: Scene = {
  phase: 'running',
  waitingFor: new Map(),
  written: 50_000,
  target: 200_000,
  lag: 1_234,
  ms: 2_500,
  windows: [
    { key: 'toys', start: minute, value: { orders: 12, revenue: 3_456.5 } },
    { key: 'toys', start: minute - 60_000, value: { orders: 99, revenue: 1 } },
    { key: 'books', start: minute - 60_000, value: { orders: 1, revenue: 1_000_000 } },
  ],
}

it('shows the newest minute of every category', () => {
  expect(picture(scene)).toEqual([
    '[######..................]  50,000 of 200,000 transactions written',
    'running      2.5 s   1,234 to go',
    '',
    'category       newest minute       orders      revenue',
    'books          2026-01-01 12:29         1 1,000,000.00',
    'toys           2026-01-01 12:30        12     3,456.50',
  ])
})

it('says in a line what it is doing, and without a target when there is none', () => {
  expect(oneLine(scene)).toBe('2.5 s  running  50,000 of 200,000 written, 1,234 to go')
  expect(oneLine({ ...scene, target: undefined })).toBe('2.5 s  running  50,000 written, 1,234 to go')
})

it('says what is waited for and why, within 80 columns', () => {
  const why = `Kafka at broker-with-a-long-name.example.org:9092 cannot be reached: ${'x'.repeat(100)}\n  → is it running?`
  const waiting = { ...scene, waitingFor: new Map([['log', why]]) }
  for (const lines of [picture(waiting), oneLine(waiting).split('\n')]) {
    expect(lines.some((line) => line.startsWith('waiting for log: Kafka at broker'))).toBe(true)
    expect(lines).toContain('  → is it running?')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80)
  }
})
