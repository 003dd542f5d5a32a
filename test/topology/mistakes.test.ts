import { expect, it } from 'vitest'
import {
  count,
  groupByKey,
  json,
  plan,
  process,
  reduce,
  stream,
  string,
  to,
  topology,
  toStream,
} from '../../src/index.ts'

const words = stream('words', { key: string(), value: string() }).pipe(groupByKey())
const output = { key: string(), value: json() }

it('tells every problem of a topology at once, each with the way out', () => {
  const wrong = topology('wrong', [
    words.pipe(count(''), toStream(), to('a', output)),
    words.pipe(count('no such name!'), toStream(), to('not a topic', output)),
    words.pipe(count('twice'), toStream(), to('c', output)),
    words.pipe(
      reduce('twice', (a, b) => a + b),
      toStream(),
      to('d', output),
    ),
  ])
  const told = (() => {
    try {
      plan(wrong)
    } catch (error) {
      return error as Error
    }
    throw new Error('it was planned')
  })()
  expect(told).toMatchObject({ code: 'INVALID_TOPOLOGY' })
  expect(told.message).toContain('topology "wrong" cannot run')
  expect(told.message).toContain(
    "it keeps state and needs a name, which is the identity of that state: count('my-name', …)",
  )
  expect(told.message).toContain('"no such name!" cannot name a store; use letters, digits')
  expect(told.message).toContain('"not a topic" is not a topic name')
  expect(told.message).toMatch(/two stores are named "twice" \(.*count.*reduce.*\): give each a name of its own/)
})

it('tells two operators of one kind and name, which would be taken for each other', () => {
  const passOn = process<string, string>('again', {}, ({ forward }) => ({
    process: (value, key) => forward(key, value),
  }))
  const source = stream('words', { key: string(), value: string() })
  const wrong = topology('wrong', [source.pipe(passOn, to('a', output)), source.pipe(passOn, to('b', output))])
  expect(() => plan(wrong)).toThrow(/two operators are named "process:again" .*give each a name of its own/)
})
