import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import avsc from 'avsc'
import { expect, it } from 'vitest'
import { lake } from '../../../src/sinks/lake/index.ts'
import { sinkContract } from '../../../src/testing/contracts/sink.ts'
import {
  type ContractRow,
  contractBatch,
  contractContext,
  contractRow,
} from '../../../src/testing/contracts/sink-fixtures.ts'
import { rowsOf } from './rows.ts'

const place = async () => join(await mkdtemp(join(tmpdir(), 'millrace-lake-')), 'lake')

sinkContract(
  'lake in a directory',
  async () => {
    const to = await place()
    return {
      definition: lake<string, ContractRow>({ to, topic: 'contract' }),
      rows: (schema) => rowsOf(to, schema),
      cleanup: () => rm(to, { recursive: true, force: true }),
    }
  },
  // A directory does not go away; a file has the schema that its sink was opened with.
  { mode: 'append', outage: false, evolvesWhileOpen: false },
)

async function written() {
  const to = await place()
  const sink = await lake<string, ContractRow>({ to }).open(contractContext())
  const batch = contractBatch(
    Array.from({ length: 5_000 }, (_, i) => contractRow(i)),
    100,
    3,
  )
  expect(await sink.write(batch)).toEqual([])
  const files = (await readdir(to, { recursive: true })).filter((name) => name.endsWith('.avro')).sort()
  return { to, sink, batch, files }
}

it('lays files out as Spark reads them, named by partition and offsets', async () => {
  const { files } = await written()
  expect(files.length).toBeGreaterThan(1)
  for (const file of files) {
    expect(file).toMatch(/^topic=[^/]+\/dt=\d{4}-\d\d-\d\d\/hour=\d\d\/3-100-5099\.avro$/)
  }
})

it('writes containers that avsc reads, whatever their codec', async () => {
  for (const codec of ['null', 'deflate'] as const) {
    const to = await place()
    const sink = await lake<string, ContractRow>({ to, topic: 't', codec }).open(contractContext())
    const rows = Array.from({ length: 100 }, (_, i) => contractRow(i))
    await sink.write(contractBatch(rows, 7, 2))
    const [file] = (await readdir(to, { recursive: true })).filter((name) => name.endsWith('.avro'))
    const found: Record<string, unknown>[] = []
    await new Promise((resolve, reject) => {
      const decoder = avsc.createFileDecoder(join(to, file))
      decoder.on('data', (row) => found.push({ ...row }))
      decoder.on('end', resolve).on('error', reject)
    })
    expect(found.length).toBe(100)
    expect(found[3]).toMatchObject({ id: 'r3', amount: 0.75, _key: 'r3', _partition: 2, _offset: 10 })
    expect(found.map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
  }
})

it('goes on where the file is there with the same rows, and refuses to write over others', async () => {
  const { to, sink, batch, files } = await written()
  const path = join(to, files[0])
  const before = await readFile(path)
  expect(await sink.write(batch)).toEqual([])
  expect(await readFile(path)).toEqual(before)
  // Other rows under the name of the first file.
  await rename(path, `${path}.away`)
  await writeFile(path, before.subarray(0, before.length >> 1))
  await expect(sink.write(batch)).rejects.toMatchObject({ code: 'SINK_REFUSED', retriable: false })
  expect((await readFile(path)).length).toBe(before.length >> 1)
})

it('refuses a directory that cannot be used, saying which', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'millrace-lake-')), 'file')
  await writeFile(file, '')
  const opening = lake<string, ContractRow>({ to: join(file, 'lake') }).open(contractContext())
  await expect(opening).rejects.toMatchObject({ code: 'DATA_DIRECTORY', message: expect.stringContaining(file) })
})
