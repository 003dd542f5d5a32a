import { expect, it } from 'vitest'
import { endWatch } from '../../src/runtime/end-watch.ts'
import { manualClock } from '../../src/time.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

function given() {
  const clock = manualClock()
  const questions: ((isAtEnd: boolean) => void)[] = []
  const over = Promise.withResolvers<never>()
  over.promise.catch(() => {})
  let commit = Promise.withResolvers<void>()
  const wait = endWatch({
    clock,
    ended: over.promise,
    isAtEnd: () => new Promise((resolve) => questions.push(resolve)),
    nextCommit: () => commit.promise,
  })
  return {
    clock,
    questions,
    wait,
    fail: (error: Error) => over.reject(error),
    committed() {
      commit.resolve()
      commit = Promise.withResolvers()
    },
  }
}

it('asks again when a commit has ended, also while a question is on its way, and every 50 ms', async () => {
  const { clock, questions, wait, committed } = given()
  const end = wait()
  questions[0](false)
  await settled()
  expect(questions).toHaveLength(1)
  committed()
  await settled()
  expect(questions).toHaveLength(2)
  committed()
  questions[1](false)
  await settled()
  expect(questions).toHaveLength(3)
  questions[2](false)
  await settled()
  expect(questions).toHaveLength(3)
  clock.advance(50)
  await settled()
  expect(questions).toHaveLength(4)
  questions[3](true)
  await end
  clock.advance(50)
  await settled()
  expect(questions).toHaveLength(4)
})

it('asks once for all who wait, and answers nobody with what was asked before', async () => {
  const { clock, questions, wait } = given()
  const done: string[] = []
  for (const name of ['a', 'b']) void wait().then(() => done.push(name))
  questions[0](false)
  await settled()
  clock.advance(50)
  await settled()
  void wait().then(() => done.push('late'))
  expect(questions).toHaveLength(2)
  questions[1](true)
  await settled()
  expect(done).toEqual(['a', 'b'])
  expect(questions).toHaveLength(3)
  questions[2](true)
  await settled()
  expect(done).toEqual(['a', 'b', 'late'])
})

it('ends when the application does', async () => {
  const { wait, fail } = given()
  const end = wait()
  fail(new Error('stopped'))
  await expect(end).rejects.toThrow('stopped')
  await expect(wait()).rejects.toThrow('stopped')
})
