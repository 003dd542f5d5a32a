import { expect, it } from 'vitest'
import type { LogGroup, LogProducer } from '../../src/log/log.ts'
import type { OpenTask } from '../../src/runtime/assignment.ts'
import { createCommitter } from '../../src/runtime/committer.ts'
import type { Sinks } from '../../src/runtime/sinks.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A commit of one batch, whose acknowledgement and whose offsets wait until they are told how they end. */
function given({ transactional }: { transactional: boolean }) {
  const calls: string[] = []
  const ack = Promise.withResolvers<{ offset: number }>()
  const offsets = Promise.withResolvers<void>()
  const called = (name: string) => async () => void calls.push(name)
  const answered =
    <T>(name: string, answer: Promise<T>) =>
    () => {
      calls.push(name)
      return answer
    }
  const producer: LogProducer = {
    init: called('init'),
    begin: () => void calls.push('begin'),
    send: answered('send', ack.promise),
    sendOffsets: answered('offsets', offsets.promise),
    commit: called('commit'),
    abort: called('abort'),
    close: called('close'),
  }
  const group: Pick<LogGroup, 'commit'> = { commit: answered('offsets', offsets.promise) }
  const committer = createCommitter({
    producer,
    transactional,
    group: group as LogGroup,
    sinks: {} as Sinks,
    patiently: (_, call) => call(),
    onRefused: () => undefined,
    stamped: (use) => use({ group: 'g', memberId: 'm', epoch: 1 }),
  })
  const positions = new Map([['in', 5]])
  const open = { task: { partition: 0 }, identity: 'i', committed: { positions: new Map(), times: {} } }
  const batch = { topic: 'out', partition: 0, bytes: Buffer.alloc(0), records: 1 }
  const done = committer.commit([
    { open: open as unknown as OpenTask, output: { batches: [batch], sinks: [], positions, times: {} } },
  ])
  const ended: string[] = []
  done.then(
    () => ended.push('well'),
    (error: Error) => ended.push(error.message),
  )
  return { calls, ack, offsets, ended, open }
}

it('sends the offsets of a transaction without waiting for its records, and ends it when both are there', async () => {
  const { calls, ack, offsets, ended, open } = given({ transactional: true })
  await settled()
  expect(calls).toEqual(['begin', 'send', 'offsets'])
  offsets.resolve()
  await settled()
  expect(calls).not.toContain('commit')
  ack.resolve({ offset: 0 })
  await settled()
  expect(calls.at(-1)).toBe('commit')
  expect(ended).toEqual(['well'])
  expect(open.committed.positions.get('in')).toBe(5)
})

it('commits nothing when the records were refused, and says so only when the offsets are no longer on their way', async () => {
  const { calls, ack, offsets, ended, open } = given({ transactional: true })
  ack.reject(new Error('refused'))
  await settled()
  expect(ended).toEqual([])
  offsets.resolve()
  await settled()
  expect(ended).toEqual(['refused'])
  expect(calls).not.toContain('commit')
  expect(open.committed.positions.size).toBe(0)
})

it('commits offsets outside a transaction only when the records are there', async () => {
  const { calls, ack, offsets, ended } = given({ transactional: false })
  await settled()
  expect(calls).toEqual(['send'])
  ack.resolve({ offset: 0 })
  await settled()
  expect(calls).toEqual(['send', 'offsets'])
  offsets.resolve()
  await settled()
  expect(ended).toEqual(['well'])
})
