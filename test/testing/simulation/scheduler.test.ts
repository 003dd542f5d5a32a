import { expect, it } from 'vitest'
import { seededRandom } from '../../../src/testing/simulation/random.ts'
import { createScheduler } from '../../../src/testing/simulation/scheduler.ts'

const scheduler = () => createScheduler(seededRandom(1))

it('ends with the work that it was driven for', async () => {
  const time = scheduler()
  await time.drive(time.sleep(5_000), 10_000)
  expect(time.now()).toBe(5_000)
})

it('fails when the work takes longer than it may', async () => {
  const time = scheduler()
  await expect(time.drive(time.sleep(5_000), 1_000)).rejects.toThrow('not done after 1000 ms of virtual time')
})

it('fails when everybody waits for nothing', async () => {
  await expect(scheduler().drive(new Promise(() => {}), 1_000)).rejects.toThrow('everybody waits for nothing')
})

it('fails when somebody goes on without waiting, so that time stands still', { timeout: 60_000 }, async () => {
  const time = scheduler()
  let isOver = false
  const spin = async () => {
    while (!isOver) await time.breathe()
  }
  await expect(time.drive(spin(), 1_000)).rejects.toThrow('time stands still')
  isOver = true
})
