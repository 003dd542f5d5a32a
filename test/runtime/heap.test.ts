import { getHeapStatistics } from 'node:v8'
import { expect, it } from 'vitest'
import { createHeapWatch, type Heap, type HeapUse, readHeap } from '../../src/runtime/heap.ts'
import { manualClock, minutes } from '../../src/time.ts'
import { keptLog } from '../support/log-lines.ts'

const MiB = 1024 * 1024

function given() {
  const { logger, lines } = keptLog()
  const clock = manualClock(1_000)
  const heap: { -readonly [Part in keyof Heap]: Heap[Part] } = { used: 0, limit: 1_000 * MiB }
  return { lines, clock, heap, watch: createHeapWatch(logger, clock, () => heap) }
}

const use = (): HeapUse => ({
  holders: [
    { id: '0_0', stores: [{ name: 'small', store: { size: 5 } }] },
    {
      id: '0_1',
      stores: [
        { name: 'small', store: { size: 7 } },
        { name: 'large', store: { size: 3_000 } },
      ],
    },
  ],
  records: 3_000,
  of: 10_000,
})
const unwanted = (): never => {
  throw new Error('nobody asked')
}

it('says once, at 85 % of what may be held, which store is the largest and what can be done', () => {
  const { lines, clock, heap, watch } = given()
  heap.used = 849 * MiB
  watch.check('restoring', unwanted)
  expect(lines).toEqual([])
  heap.used = 851 * MiB
  watch.check('restoring', use)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({
    level: 40,
    doing: 'restoring',
    task: '0_1',
    store: 'large',
    entries: 3_000,
    entriesOfAll: 3_012,
    records: 3_000,
    of: 10_000,
    heapMb: 851,
    heapLimitMb: 1_000,
  })
  expect(lines[0].msg).toMatch(/85 % full.*--max-old-space-size.*on disk.*more instances/)
  heap.used = 999 * MiB
  watch.check('processing', unwanted)
  clock.advance(minutes(10) - 1)
  watch.check('processing', unwanted)
  clock.advance(1)
  watch.check('processing', () => ({ holders: [] }))
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatchObject({ doing: 'processing', heapMb: 999 })
  expect(lines[1]).not.toHaveProperty('store')
})

it('reads what is held for long, and not what lives for a moment', () => {
  // Right after each other: a collection between them would make the whole less than its part.
  const whole = getHeapStatistics()
  const { used, limit } = readHeap()
  expect(used).toBeGreaterThan(0)
  expect(limit).toBeGreaterThan(used)
  // The young generation is a part of V8's limit, and not of this one.
  expect(limit).toBeLessThan(whole.heap_size_limit)
  expect(used).toBeLessThan(whole.used_heap_size)
})
