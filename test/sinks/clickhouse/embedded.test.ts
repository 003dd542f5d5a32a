import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedClickHouse, embeddedClickHouse } from '../../../src/sinks/clickhouse/embedded/embedded.ts'

const quietClient: typeof createClient = (options) =>
  createClient({ ...options, log: { level: ClickHouseLogLevel.OFF } })

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('embedded ClickHouse', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-embedded-'))
  const path = join(root, 'main')
  let server: EmbeddedClickHouse
  let client: ClickHouseClient

  beforeAll(async () => {
    server = await embeddedClickHouse({ path })
    client = quietClient({ url: server.url })
  }, 60_000)
  afterAll(async () => {
    await client.close()
    await server.close()
    rmSync(root, { recursive: true, force: true })
  })

  const select = async <T>(query: string, query_params?: Record<string, unknown>) => {
    const result = await client.query({ query, format: 'JSONEachRow', ...(query_params ? { query_params } : {}) })
    return result.json<T>()
  }

  it('answers pings, by select too', async () => {
    expect(await client.ping()).toEqual({ success: true })
    expect(await client.ping({ select: true })).toEqual({ success: true })
  })

  it('binds parameters of every kind', async () => {
    const query_params = { text: "a\tb'\\ü😀\n", number: 7, list: ['x', "y'z"], nothing: null }
    const query =
      'SELECT {text:String} AS text, {number:UInt8} AS number, {list:Array(String)} AS list, {nothing:Nullable(String)} AS nothing'
    expect(await select(query, query_params)).toEqual([query_params])
    await expect(select('SELECT {number:UInt8}')).rejects.toMatchObject({ code: '456' })
  })

  it('inserts what the client sends, and counts it', async () => {
    await client.command({ query: 'CREATE TABLE inserted (id UInt32, text String) ENGINE = MergeTree ORDER BY id' })
    const values = [
      { id: 1, text: 'ü😀' },
      { id: 2, text: 'line\nbreak' },
    ]
    const { summary } = await client.insert({ table: 'inserted', values, format: 'JSONEachRow' })
    expect(summary).toMatchObject({ written_rows: '2' })
    await client.insert({ table: 'inserted', values: [[3, 'compact']], format: 'JSONCompactEachRow' })
    await client.insert({
      table: 'inserted',
      values: Readable.from([{ id: 4, text: 'streamed' }]),
      format: 'JSONEachRow',
    })
    await client.insert({ table: 'inserted', values: [], format: 'JSONEachRow' })
    await client.command({ query: "INSERT INTO inserted VALUES (5, 'inline')" })
    await client.command({ query: '/* copied */ INSERT INTO inserted SELECT id + 5, text FROM inserted' })
    const rows = await select<{ id: number }>('SELECT * FROM inserted ORDER BY id')
    expect(rows.slice(0, 2)).toEqual(values)
    expect(rows.map((row) => row.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('keeps binary bodies as they are, whatever their first byte', async () => {
    await client.command({ query: 'CREATE TABLE binary (bytes String) ENGINE = MergeTree ORDER BY tuple()' })
    for (const length of [0, 1, 9, 10, 13, 32, 34, 39, 45, 59, 120]) {
      const bytes = Buffer.from(Array.from({ length }, (_, i) => (i % 8 > 5 ? 10 : (i * 37 + 0xc0) % 256)))
      const { stream } = await client.exec({
        query: 'INSERT INTO binary FORMAT RowBinary',
        values: Readable.from([Buffer.concat([Buffer.from([length]), bytes])]),
      })
      stream.resume()
      await once(stream, 'end')
      const query = `SELECT hex(bytes) AS hex FROM binary WHERE length(bytes) = ${length}`
      expect(await select(query)).toEqual([{ hex: bytes.toString('hex').toUpperCase() }])
    }
  })

  it('takes data with empty lines, in the body or behind the statement, and never as SQL', async () => {
    await client.command({ query: 'CREATE TABLE lines (line String) ENGINE = MergeTree ORDER BY tuple()' })
    const data = '"one"\n\n"two"\n\nDROP TABLE lines\n'.replaceAll('"', '')
    for (const send of [
      () => fetch(`${server.url}/?query=INSERT%20INTO%20lines%20FORMAT%20LineAsString`, { method: 'POST', body: data }),
      () => fetch(server.url, { method: 'POST', body: `INSERT INTO lines (line)\nFORMAT LineAsString\n${data}` }),
      () =>
        fetch(`${server.url}/?query=INSERT%20INTO%20lines%20VALUES`, { method: 'POST', body: "('one'),\n\n('two')" }),
    ]) {
      expect((await send()).status).toBe(200)
    }
    const counts = await select(
      "SELECT line, toUInt8(count()) AS n FROM lines WHERE line != '' GROUP BY line ORDER BY line",
    )
    expect(counts).toEqual([
      { line: 'DROP TABLE lines', n: 2 },
      { line: 'one', n: 3 },
      { line: 'two', n: 3 },
    ])
  })

  it('takes compressed bodies', async () => {
    const compressing = quietClient({ url: server.url, compression: { request: true, response: true } })
    await compressing.command({ query: 'CREATE TABLE zipped (id UInt32) ENGINE = MergeTree ORDER BY id' })
    await compressing.insert({ table: 'zipped', values: [{ id: 1 }], format: 'JSONEachRow' })
    const result = await compressing.query({ query: 'SELECT * FROM zipped', format: 'JSONEachRow' })
    expect(await result.json()).toEqual([{ id: 1 }])
    await compressing.close()
  })

  it('forgets the settings of a statement after it', async () => {
    await client.command({
      query:
        'CREATE TABLE tokens (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100',
    })
    const insert = (id: number, insert_deduplication_token?: string) =>
      client.insert({
        table: 'tokens',
        values: [{ id }],
        format: 'JSONEachRow',
        clickhouse_settings: insert_deduplication_token === undefined ? {} : { insert_deduplication_token },
      })
    await insert(1, 'a/b 0-9')
    await insert(1, 'a/b 0-9')
    await insert(2)
    await insert(3)
    await insert(4, "it's \\ another")
    expect(await select('SELECT id FROM tokens ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }])
  })

  it('reports errors as a server does', async () => {
    const failure = await client.query({ query: 'SELEC 1' }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ClickHouseError)
    expect(failure).toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    for (const [query, status, code] of [
      ['SELEC 1', 400, '62'],
      ['SELECT * FROM nowhere', 404, '60'],
      ["SELECT throwIf(1, 'enough')", 500, '395'],
      ['INSERT INTO nowhere VALUES (1)', 404, '60'],
    ] as const) {
      const response = await fetch(server.url, { method: 'POST', body: query })
      expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([status, code])
      expect(await response.text()).toMatch(
        new RegExp(`^Code: ${code}\\. DB::Exception: .*\\([A-Z_]+\\) \\(version .+\\)\\n$`, 's'),
      )
    }
    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404)
  })

  it('keeps databases apart', async () => {
    await client.command({ query: 'CREATE DATABASE `other-one`' })
    const other = quietClient({ url: server.url, database: 'other-one' })
    await other.command({ query: 'CREATE TABLE t (id UInt8) ENGINE = MergeTree ORDER BY id' })
    await other.insert({ table: 't', values: [{ id: 1 }], format: 'JSONEachRow' })
    expect(await select("SELECT database FROM system.tables WHERE name = 't'")).toEqual([{ database: 'other-one' }])
    await expect(select('SELECT * FROM t')).rejects.toMatchObject({ code: '60' })
    await other.close()
  })

  it('does not answer web pages', async () => {
    const response = await fetch(server.url, {
      headers: { origin: 'https://example.com' },
      method: 'POST',
      body: 'SELECT 1',
    })
    expect(response.status).toBe(403)
  })

  it('says who has the directory when it is started twice', async () => {
    await expect(embeddedClickHouse({ path })).rejects.toMatchObject({
      code: 'DATA_DIRECTORY',
      message: expect.stringContaining(`process ${server.pid}, which serves it at ${server.url}`),
    })
  })

  it('refuses a directory that is none, and a port that is taken', async () => {
    writeFileSync(join(root, 'file'), '')
    await expect(embeddedClickHouse({ path: join(root, 'file') })).rejects.toMatchObject({ code: 'DATA_DIRECTORY' })
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(embeddedClickHouse({ path: join(root, 'port'), port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    other.close()
  })

  it('says what to install where chdb is not', async () => {
    const bare = join(root, 'bare', 'src')
    const source = new URL('../../../src/', import.meta.url)
    for (const part of ['errors.ts', 'directories.ts', 'sinks/clickhouse/embedded']) {
      cpSync(new URL(part, source), join(bare, part), { recursive: true })
    }
    writeFileSync(join(bare, 'package.json'), '{ "type": "module" }')
    const { embeddedClickHouse: start } = await import(join(bare, 'sinks/clickhouse/embedded/embedded.ts'))
    await expect(start({ path: join(root, 'never') })).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringContaining('npm install chdb'),
    })
  })

  it('checks the password when there is one', async () => {
    const guarded = await embeddedClickHouse({ path: join(root, 'guarded'), password: 'pass:word' })
    const query = (password: string) => {
      const one = quietClient({ url: guarded.url, password })
      return one.query({ query: 'SELECT 1' }).finally(() => one.close())
    }
    await query('pass:word')
    await expect(query('')).rejects.toMatchObject({ code: '516', type: 'AUTHENTICATION_FAILED' })
    await guarded.close()
  })

  it('starts again after it was killed, on the same port, with the data', async () => {
    const killed = await embeddedClickHouse({ path: join(root, 'killed') })
    const one = quietClient({ url: killed.url })
    await one.command({ query: 'CREATE TABLE t (id UInt8) ENGINE = MergeTree ORDER BY id' })
    await one.command({ query: 'INSERT INTO t VALUES (1)' })
    const { pid } = killed
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => killed.pid, { timeout: 15_000 }).not.toBe(pid)
    await expect.poll(async () => (await one.ping()).success, { timeout: 15_000 }).toBe(true)
    const result = await one.query({ query: 'SELECT id FROM t', format: 'JSONEachRow' })
    expect(await result.json()).toEqual([{ id: 1 }])
    await one.close()
    await killed.close()
    await killed.close()
  })

  it('ends with its parent, however that ends, and frees the directory', async () => {
    const orphaned = join(root, 'orphaned')
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const parent = fork(new URL('./embedded-parent.ts', import.meta.url), [orphaned], { execArgv: [] })
      const pid = await pidFrom(parent)
      expect(isAlive(pid)).toBe(true)
      parent.kill(signal)
      await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
    }
    const again = await embeddedClickHouse({ path: orphaned })
    await again.close()
    expect(isAlive(again.pid)).toBe(false)
  })

  it('does not keep its parent alive', async () => {
    const parent = fork(new URL('./embedded-parent.ts', import.meta.url), [join(root, 'idle'), 'finish'], {
      execArgv: [],
    })
    const exited = once(parent, 'exit')
    const pid = await pidFrom(parent)
    expect((await exited)[0]).toBe(0)
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  })
})

async function pidFrom(parent: ChildProcess): Promise<number> {
  const [pid] = await once(parent, 'message')
  return pid as number
}
