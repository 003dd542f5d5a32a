/** Writes to an embedded log until it is killed, and says on stdout what has been acknowledged. See kill.test.ts. */
import { setImmediate } from 'node:timers/promises'
import { embedded } from '../../../src/log/embedded/embedded.ts'
import type { Stamp } from '../../../src/log/log.ts'
import { valuesOf } from '../../../src/testing/contracts/log/fixture.ts'

const log = embedded(process.argv[2])
await log.connect()
await log.admin.create([{ topic: 'topic', partitions: 3 }])

const joined = Promise.withResolvers<Stamp>()
const group = log.group({
  group: 'group',
  topics: ['topic'],
  tasks: ['0_0'],
  onAssigned: async ({ stamp }) => joined.resolve(stamp),
  onRevoked: async () => {},
  onLost: async () => {},
  onError: joined.reject,
})
await group.join()
const stamp = await joined.promise
const committed = await group.committed([{ topic: 'topic', partition: 0 }])
const [{ offset: end }] = await log.admin.endOffsets([{ topic: 'topic', partition: 2 }])

const transactional = log.producer({ transactionalId: 'writer' })
const plain = log.producer()
await transactional.init()
await plain.init()

async function transactions(from: number): Promise<never> {
  for (let n = from; ; n++) {
    transactional.begin()
    for (const partition of [0, 1]) void transactional.send('topic', partition, valuesOf(`${n}`))
    await transactional.sendOffsets([{ topic: 'topic', partition: 0, offset: n + 1, metadata: `after ${n}` }], stamp)
    if (n % 5 === 4) await setImmediate()
    await transactional.commit()
    process.stdout.write(`committed ${n}\n`)
  }
}

async function batches(from: number): Promise<never> {
  for (let n = from; ; n++) {
    await plain.send('topic', 2, valuesOf(`${n}`))
    process.stdout.write(`sent ${n}\n`)
  }
}

process.stdout.write('ready\n')
await Promise.all([transactions(committed[0]?.offset ?? 0), batches(end)])
