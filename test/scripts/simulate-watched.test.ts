import { afterEach, expect, it } from 'vitest'
import { type Watched, watched } from '../../scripts/simulate/watched.ts'

let thread: Watched | undefined
afterEach(() => thread?.close())

const share = (first: number, end: number) => ({ name: 'any', first, end, trace: false })

it('a run that loops on promises alone is found by its seed, and the thread goes on with others', async () => {
  const script = new URL('./looping-seeds.ts', import.meta.url)
  thread = watched({ script, patienceMs: 1_000, youngMb: 16 })
  expect(await thread.try(share(1, 5))).toMatchObject({ name: 'any', seeds: 4 })
  // Seed 7 never ends.
  expect(await thread.try(share(5, 10))).toEqual({ stuckAt: 7 })
  expect(await thread.try(share(8, 10))).toMatchObject({ seeds: 2 })
}, 60_000)

it('a thread is kept for the next share: one that starts anew runs cold code', async () => {
  const script = new URL('./looping-seeds.ts', import.meta.url)
  thread = watched({ script, patienceMs: 60_000, youngMb: 16 })
  const first = await thread.try(share(1, 5))
  expect(first).toHaveProperty('threadId')
  expect(await thread.try(share(1, 5))).toEqual(first)
}, 60_000)

it('one that takes long and gets on is left alone', async () => {
  const script = new URL('./looping-seeds.ts', import.meta.url)
  thread = watched({ script, patienceMs: 1_000, youngMb: 16 })
  // Seed 20 takes twice the patience.
  expect(await thread.try(share(20, 21))).toMatchObject({ seeds: 1 })
}, 60_000)
