import { expect, it } from 'vitest'
import { startingLine } from '../../../src/runtime/threads/starting-line.ts'
import { manualClock } from '../../../src/time.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

function given(threads: number) {
  const clock = manualClock()
  const line = startingLine(threads, clock)
  const off: number[] = []
  return { clock, line, off, ready: (index: number) => void line.ready(index).then(() => off.push(index)) }
}

it('lets nobody go before all are ready, and then all at once', async () => {
  const { ready, off } = given(3)
  ready(2)
  ready(0)
  await settled()
  expect(off).toEqual([])
  ready(1)
  await settled()
  expect(off.sort()).toEqual([0, 1, 2])
})

it('waits for none that has ended', async () => {
  const { line, ready, off } = given(2)
  ready(0)
  line.out(1)
  await settled()
  expect(off).toEqual([0])
})

it('waits twenty seconds, from the first one on, for one that is slow', async () => {
  const { clock, ready, off } = given(3)
  clock.advance(60_000)
  ready(0)
  clock.advance(19_000)
  ready(1)
  clock.advance(999)
  await settled()
  expect(off).toEqual([])
  clock.advance(1)
  await settled()
  expect(off.sort()).toEqual([0, 1])
})

it('is open for good: the slow one, and one that takes the place of another, do not wait', async () => {
  const { clock, line, ready, off } = given(2)
  ready(0)
  clock.advance(20_000)
  ready(1)
  await settled()
  expect(off).toEqual([0, 1])
  line.out(0)
  ready(0)
  await settled()
  expect(off).toEqual([0, 1, 0])
})
