import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { MillraceError, stream, string, to, topology } from '../../../src/index.ts'
import { embedded } from '../../../src/log/embedded/embedded.ts'
import { run } from '../../../src/runtime/run.ts'
import { batchOf, valuesOf } from '../../../src/testing/contracts/log/fixture.ts'
import { systemClock } from '../../../src/time.ts'
import { readRecords } from '../../support/records.ts'

let root: string
let made = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-embedded-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))
const directory = () => join(root, `log-${made++}`)

describe('a directory that will not do is DATA_DIRECTORY:', () => {
  const refusal = async (path: string) => {
    const error = await embedded(path)
      .connect()
      .catch((thrown: unknown) => thrown)
    if (!(error instanceof MillraceError)) throw new Error(`expected a refusal, got ${error}`)
    expect(error.code).toBe('DATA_DIRECTORY')
    expect(error.message).toContain(path)
    return error
  }

  it('another process has the log open', async () => {
    const path = directory()
    const script = join(import.meta.dirname, 'writer-process.ts')
    const child = spawn(process.execPath, ['-C', 'millrace-source', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    expect((await refusal(path)).message).toMatch(/another process/)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const log = embedded(path)
    await log.connect()
    await log.close()
  })

  it('it is a file', async () => {
    const path = directory()
    await writeFile(path, 'not a directory')
    expect((await refusal(path)).hint).toMatch(/permissions|another/)
  })

  it('what is in it is no log', async () => {
    const path = directory()
    await mkdir(path)
    await writeFile(join(path, 'millrace.db'), 'a text of somebody else, longer than the header of SQLite. '.repeat(9))
    expect((await refusal(path)).message).toMatch(/damaged|no log/)
  })

  // Not even root can make a directory there.
  it('it cannot be made', async () => {
    expect((await refusal('/dev/null/log')).hint).toMatch(/permissions/)
  })
})

describe('a full disk', () => {
  const at = (offset: number) => ({ topic: 'topic', partition: 0, offset })
  const value = 'v'.repeat(50_000)

  async function filled() {
    const log = embedded({ path: directory(), maxBytes: 1_000_000 })
    await log.connect()
    onTestFinished(() => log.close())
    await log.admin.create([{ topic: 'topic', partitions: 1 }])
    const producer = log.producer()
    await producer.init()
    let acknowledged = 0
    for (;;) {
      const error = await producer.send('topic', 0, valuesOf(value, `${acknowledged}`)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (error !== undefined) {
        expect(error).toMatchObject({ code: 'DISK_FULL', retriable: true })
        return { log, producer, acknowledged }
      }
      acknowledged++
    }
  }

  it('refuses what does not fit, keeps what it has, and goes on when there is room', async () => {
    const { log, producer, acknowledged } = await filled()
    expect(acknowledged).toBeGreaterThan(5)
    const numbers = async () =>
      (await readRecords(log, 'topic')).flatMap(({ value: v }) => (v === value ? [] : [Number(v)]))
    expect(await numbers()).toEqual(Array.from({ length: acknowledged }, (_, n) => n))
    await log.admin.trim([at(8)])
    await producer.send('topic', 0, valuesOf(value, `${acknowledged}`))
    expect(await numbers()).toEqual(Array.from({ length: acknowledged - 3 }, (_, n) => n + 4))
  })

  it('refuses a transaction as a whole, which may be committed again when there is room', async () => {
    const { log } = await filled()
    const producer = log.producer({ transactionalId: 'id' })
    await log.admin.trim([at(2)])
    await producer.init()
    producer.begin()
    for (const n of ['x', 'y', 'z']) await producer.send('topic', 0, valuesOf(value, n))
    const [{ offset: end }] = await log.admin.endOffsets([at(0)])
    await expect(producer.commit()).rejects.toMatchObject({ code: 'DISK_FULL', retriable: true })
    expect(await log.admin.endOffsets([at(0)])).toMatchObject([{ offset: end }])
    await log.admin.trim([at(12)])
    await producer.commit()
    const texts = (await readRecords(log, 'topic')).map(({ value: v }) => v)
    expect(texts.filter((v) => v !== null && 'xyz'.includes(v))).toEqual(['x', 'y', 'z'])
  })

  it('stops a running topology until there is room, and nothing is lost or doubled', async () => {
    const log = embedded({ path: directory(), maxBytes: 3_000_000 })
    await log.connect()
    await log.admin.create([
      { topic: 'ballast', partitions: 1 },
      { topic: 'in', partitions: 1 },
      { topic: 'out', partitions: 1 },
    ])
    const producer = log.producer()
    await producer.init()
    const values = Array.from({ length: 300 }, (_, n) => `${n}:${'x'.repeat(2_000)}`)
    for (let from = 0; from < 300; from += 50)
      await producer.send('in', 0, batchOf(...values.slice(from, from + 50).map((v, n) => ['k', v, n] as const)))
    let ballast = 0
    const more = () => producer.send('ballast', 0, valuesOf('b'.repeat(100_000)))
    while (
      await more().then(
        () => true,
        () => false,
      )
    )
      ballast++
    expect(ballast).toBeGreaterThan(5)

    const copied = topology('copied', [
      stream('in', { key: string(), value: string() }).pipe(to('out', { key: string(), value: string() })),
    ])
    const running = run(copied, { log, logger: false, commitIntervalMs: 10, deadLetterTopic: false })
    const trimming = running.catch(() => undefined)
    // It may be stuck before or after its topics are made; either way it waits for room and does not end.
    const started = await Promise.race([trimming, systemClock.sleep(500)])
    if (started) expect(started.state.phase).not.toBe('failed')
    expect((await log.admin.endOffsets([{ topic: 'out', partition: 0 }]))[0].offset).toBeLessThan(300)
    await log.admin.trim([{ topic: 'ballast', partition: 0, offset: ballast }])
    const job = await running
    await job.caughtUp()
    const out = await readRecords(log, 'out')
    await job.stop()
    expect(out.map(({ value: v }) => v)).toEqual(values)
  })
})
