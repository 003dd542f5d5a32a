import { describe, expect, it } from 'vitest'
import { mapAsync, stream, to, topology } from '../../../src/index.ts'
import { memoryLog } from '../../../src/log/memory.ts'
import { run } from '../../../src/runtime/run.ts'
import { readRecords, writeRecords } from '../../support/records.ts'
import { texts, turn } from './answers.ts'

describe('run', () => {
  it.each(['all', 'key', false] as const)(
    'exactly once over crashes at every step of a commit, ordered %s',
    async (ordered) => {
      const log = memoryLog()
      await log.connect()
      await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 2 })))
      const records = Array.from({ length: 200 }, (_, i) => ({ key: `k${i % 7}`, value: `v${i}`, timestamp: i }))
      const app = topology('app', [
        stream('in', texts).pipe(
          mapAsync(
            async (value) => {
              // Answers come in another order than the questions.
              for (let n = Number(value.slice(1)) % 5; n > 0; n--) await turn()
              return `${value}!`
            },
            { concurrency: 8, ordered },
          ),
          to('out', texts),
        ),
      ])
      let written = 0
      const writeMore = () => writeRecords(log, 'in', records.slice(written, (written += 25)))
      for (const step of ['produce', 'offsets', 'end'] as const) {
        let armed = false
        await writeMore()
        const running = await run(
          app,
          { log, logger: false, commitIntervalMs: 2 },
          {
            onStep(at) {
              if (armed && at === step) throw new Error('crash')
            },
          },
        )
        await running.caughtUp()
        // What is committed from now on fails half way, with records that came after what is safe.
        armed = true
        const crashed = expect(running.done).rejects.toThrow('crash')
        await writeMore()
        await crashed
        await log.connect()
      }
      await writeRecords(log, 'in', records.slice(written))
      const last = await run(app, { log, logger: false, commitIntervalMs: 2 })
      await last.caughtUp()
      await last.stop()
      await log.connect()
      const results = await readRecords(log, 'out')
      expect(results.map(({ value }) => value).sort()).toEqual(records.map(({ value }) => `${value}!`).sort())
      if (ordered !== false) {
        for (const key of new Set(records.map((record) => record.key))) {
          const of = (all: readonly { key: string | null; value: string | null }[]) =>
            all.filter((record) => record.key === key).map(({ value }) => value)
          expect(of(results)).toEqual(of(records).map((value) => `${value}!`))
        }
      }
    },
  )

  it('stops with what a call failed of, naming its record', async () => {
    const log = memoryLog()
    await log.connect()
    await log.admin.create(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
    await writeRecords(log, 'in', [{ key: 'a', value: 'x', timestamp: 1 }])
    const failing = stream('in', texts).pipe(
      mapAsync(async (): Promise<string> => {
        throw new Error('no')
      }),
      to('out', texts),
    )
    const running = await run(topology('failing', [failing]), { log, logger: false, commitIntervalMs: 20 })
    await expect(running.done).rejects.toMatchObject({ code: 'OPERATOR_FAILED', context: { topic: 'in', offset: 0 } })
  })
})
