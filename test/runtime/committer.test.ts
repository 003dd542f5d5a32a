import { expect, it } from 'vitest'
import type { LogGroup, LogProducer } from '../../src/log/log.ts'
import type { OpenTask } from '../../src/runtime/assignment.ts'
import { createCommitter } from '../../src/runtime/committer.ts'
import type { Sinks } from '../../src/runtime/sinks.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A commit of one batch, whose acknowledgement and whose offsets wait until they are told how they end. */
function given({ transactional, keeps = false }: { transactional: boolean; keeps?: boolean }) {
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
    keeps: () => keeps,
    stamped: (use) => use({ group: 'g', memberId: 'm', epoch: 1 }),
  })
  const positions = new Map([['in', 5]])
  const open = { task: { partition: 0 }, identity: 'i', committed: { positions: new Map(), times: {} } }
  const reuse = () => void calls.push('reuse')
  const batch = { topic: 'out', partition: 0, bytes: Buffer.alloc(0), records: 1, reuse }
  const output = { batches: [batch], sinks: [], positions, times: {} }
  let kept: Buffer | undefined
  const done = committer.commit([{ open: open as unknown as OpenTask, output }], ([sent]) => {
    kept = sent.bytes
    // Not before its bytes have been looked at.
    expect(calls.includes('reuse')).toBe(!keeps)
  })
  const ended: string[] = []
  done.then(
    () => ended.push('well'),
    (error: Error) => ended.push(error.message),
  )
  return { calls, ack, offsets, ended, open, committer, kept: () => kept }
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
  expect(calls).toEqual(['send', 'reuse', 'offsets'])
  offsets.resolve()
  await settled()
  expect(ended).toEqual(['well'])
})

it('gives the buffer of a batch back as soon as it is in the log', async () => {
  const { calls, ack, offsets, kept } = given({ transactional: true })
  ack.resolve({ offset: 0 })
  await settled()
  expect(calls).toContain('reuse')
  expect(calls).not.toContain('commit')
  offsets.resolve()
  await settled()
  expect(calls.at(-1)).toBe('commit')
  expect(calls.filter((call) => call === 'reuse')).toHaveLength(1)
  expect(kept()).toBeUndefined()
})

it('gives the buffer of a batch that a snapshot is made of back when the commit is done', async () => {
  const { calls, ack, offsets, kept } = given({ transactional: true, keeps: true })
  ack.resolve({ offset: 0 })
  await settled()
  expect(calls).not.toContain('reuse')
  offsets.resolve()
  await settled()
  expect(calls.slice(-2)).toEqual(['commit', 'reuse'])
  expect(kept()).toBeDefined()
})

it('never gives back the buffer of a batch that the log may still send', async () => {
  const { calls, ack, offsets, committer } = given({ transactional: true })
  ack.reject(new Error('refused'))
  offsets.resolve()
  await settled()
  await committer.abort()
  expect(calls).not.toContain('reuse')
})
