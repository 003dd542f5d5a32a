import { expect, it } from 'vitest'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { logContract } from '../../src/testing/contracts/log.ts'
import { manualClock } from '../../src/time.ts'

logContract(
  'memory',
  async () => {
    const log = memoryLog()
    const next = log.peer()
    return { log, cleanup: () => next.close(), reopen: async () => next }
  },
  { promptExpiry: true, reopen: true, largeValue: 5_000_000 },
)

it('keeps a committed transaction undecided until its markers are there', async () => {
  const clock = manualClock()
  const log = memoryLog({ clock, markersMs: () => 50 })
  await log.connect()
  await log.admin.create([{ topic: 'in', partitions: 1 }])
  const at = { topic: 'in', partition: 0 }
  const options = { group: 'app', topics: ['in'], tasks: [], onError: () => {} }
  const nothing = async () => {}
  const group = log.group({ ...options, onRevoked: nothing, onAssigned: nothing, onLost: nothing })
  const nobody = { group: 'app', memberId: '', epoch: -1 }
  const batch = new BatchWriter(64)
  batch.append(1, null, Buffer.from('x'))

  const producer = log.producer({ transactionalId: 'p' })
  await producer.init()
  producer.begin()
  await producer.send('in', 0, batch.finish())
  await producer.sendOffsets([{ ...at, offset: 1 }], nobody)
  await producer.commit()
  expect(await log.admin.endOffsets([at])).toEqual([{ ...at, offset: 0 }])
  expect(await log.admin.endOffsets([at], 'uncommitted')).toEqual([{ ...at, offset: 1 }])

  // What is committed meanwhile, outside of the transaction, is the newer word; and who asks waits (KIP-447).
  await group.commit([{ ...at, offset: 1, metadata: 'newer' }], nobody)
  const committed = group.committed([at])
  const next = log.producer({ transactionalId: 'p' })
  const taken = next.init()
  clock.advance(50)
  await taken
  expect(await committed).toEqual([{ ...at, offset: 1, metadata: 'newer' }])
  expect(await log.admin.endOffsets([at])).toEqual([{ ...at, offset: 1 }])
  await log.close()
})
