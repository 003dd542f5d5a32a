import { expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import type { Log } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { loggerOf } from '../../src/runtime/logger.ts'
import { settingsOf } from '../../src/runtime/options.ts'
import { afterOutOfRange } from '../../src/runtime/out-of-range.ts'
import { writeRecords } from '../support/records.ts'

const gone = new MillraceError('OFFSET_OUT_OF_RANGE', 'gone', { topic: 'in', partition: 0, offset: 3 })

/** Ten records, of which the first five have been trimmed; the group has committed so far. */
async function trimmed(outOfRange: 'fail' | 'earliest' | 'latest', committed?: number) {
  const log: Log = memoryLog()
  await log.connect()
  await log.admin.create([{ topic: 'in', partitions: 1 }])
  await writeRecords(
    log,
    'in',
    Array.from({ length: 10 }, (_, i) => ({ key: 'k', value: `${i}`, timestamp: i })),
  )
  await log.admin.trim([{ topic: 'in', partition: 0, offset: 5 }])
  const told = async () => {}
  const group = log.group({
    group: 'app',
    topics: ['in'],
    tasks: [],
    onAssigned: told,
    onRevoked: told,
    onLost: told,
    onError: () => {},
  })
  if (committed !== undefined) {
    const stamp = { group: 'app', memberId: '', epoch: -1 }
    await group.commit([{ topic: 'in', partition: 0, offset: committed }], stamp)
  }
  return {
    log,
    group,
    settings: settingsOf('app', { log, outOfRange }),
    patiently: <T>(_: string, call: () => Promise<T>) => call(),
    logger: loggerOf('app', false),
  }
}

it.each([
  ['earliest', 5],
  ['latest', 10],
] as const)('goes on at the %s', async (policy, offset) => {
  expect(await afterOutOfRange(gone, await trimmed(policy))).toEqual({ topic: 'in', partition: 0, offset })
})

it('fails by default', async () => {
  await expect(afterOutOfRange(gone, await trimmed('fail', 3))).rejects.toBe(gone)
})

it.each(['fail', 'earliest', 'latest'] as const)(
  'is a sign that another has the task when the group has committed beyond (%s)',
  async (policy) => {
    await expect(afterOutOfRange(gone, await trimmed(policy, 7))).rejects.toMatchObject({
      code: 'FENCED',
      context: { topic: 'in', partition: 0, offset: 3 },
    })
  },
)

it('lets any other error through', async () => {
  const other = new Error('other')
  await expect(afterOutOfRange(other, await trimmed('earliest'))).rejects.toBe(other)
})
