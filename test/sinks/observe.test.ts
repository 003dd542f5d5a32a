import { expect, it } from 'vitest'
import { observe, stream, string, to, topology } from '../../src/index.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { run } from '../../src/runtime/run.ts'
import { writeRecords } from '../support/records.ts'

const texts = { key: string(), value: string() }

async function prepared() {
  const log = memoryLog()
  await log.connect()
  await log.admin.create([{ topic: 'in', partitions: 1 }])
  await writeRecords(
    log,
    'in',
    ['a', 'b'].map((value, timestamp) => ({ key: 'k', value, timestamp })),
  )
  return log
}

it('shows the records of a stream, and the commit waits for who takes its time', async () => {
  const log = await prepared()
  const seen = observe<string, string>('seen')
  const values: (string | null)[] = []
  let ended = false
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  seen.records$.subscribe({
    next: ({ value }) => values.push(value),
    complete: () => {
      ended = true
    },
  })
  const first = new Promise<void>((resolve) => {
    seen.batches$.subscribe((batch) => {
      batch.waitFor(held)
      resolve()
    })
  })
  const running = await run(topology('app', [stream('in', texts).pipe(to(seen))]), {
    log,
    logger: false,
    commitIntervalMs: 5,
  })
  await first
  expect(values).toEqual(['a', 'b'])
  const [{ offset }] = await log.admin.endOffsets([{ topic: 'in', partition: 0 }])
  const committed = async () =>
    (
      await log
        .group({
          group: 'app',
          topics: ['in'],
          tasks: [],
          sessionTimeoutMs: 1_000,
          heartbeatIntervalMs: 300,
          onRevoked: async () => {},
          onAssigned: async () => {},
          onLost: async () => {},
          onError: () => {},
        })
        .committed([{ topic: 'in', partition: 0 }])
    ).map((of) => of.offset)
  expect(await committed()).toEqual([])
  letGo()
  await running.caughtUp()
  expect(await committed()).toEqual([offset])
  await running.stop()
  expect(ended).toBe(true)
  expect(values).toEqual(['a', 'b'])
})

it('stops the application when what it waits for rejects', async () => {
  const log = await prepared()
  const seen = observe<string, string>('seen')
  seen.batches$.subscribe((batch) => batch.waitFor(Promise.reject(new Error('no room'))))
  const running = await run(topology('app', [stream('in', texts).pipe(to(seen))]), {
    log,
    logger: false,
    commitIntervalMs: 5,
  })
  await expect(running.done).rejects.toThrow('no room')
})
