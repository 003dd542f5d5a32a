/** The lake in a bucket of a real S3 server. */
import { expect, it } from 'vitest'
import { lake, lakeFiles, type S3Target } from '../../src/sinks/lake/index.ts'
import { sinkContract } from '../../src/testing/contracts/sink.ts'
import {
  type ContractRow,
  contractBatch,
  contractContext,
  contractRow,
} from '../../src/testing/contracts/sink-fixtures.ts'
import { rowsOf } from '../sinks/lake/rows.ts'
import { kill, s3Bucket, start, uniqueName } from '../support/services.ts'

const place = (): S3Target => ({ ...s3Bucket(), prefix: uniqueName('lake') })

sinkContract(
  'lake in a bucket',
  async () => {
    const to = place()
    return {
      definition: lake<string, ContractRow>({ to, topic: 'contract' }),
      rows: (schema) => rowsOf(to, schema),
      breakIt: () => kill('s3'),
      mendIt: async () => void (await start('s3')),
      cleanup: async () => {},
    }
  },
  { mode: 'append', evolvesWhileOpen: false },
)

it('compares and goes on where another writer was first, and never writes over other rows', async () => {
  const to = place()
  const open = () => lake<string, ContractRow>({ to, topic: 't' }).open(contractContext())
  const [one, other] = [await open(), await open()]
  const rows = Array.from({ length: 50 }, (_, i) => contractRow(i))
  // Both at once: the conditional puts let one of them win, the other gets 412 and compares.
  expect(await Promise.all([one.write(contractBatch(rows, 0)), other.write(contractBatch(rows, 0))])).toEqual([[], []])
  const different = contractBatch(
    rows.map((row) => ({ ...row, amount: -1 })),
    0,
  )
  await expect(other.write(different)).rejects.toMatchObject({ code: 'SINK_REFUSED', retriable: false })
  const [file] = await lakeFiles({ to })
  expect(file.path).toMatch(/^topic=t\/dt=\d{4}-\d\d-\d\d\/hour=\d\d\/0-0-49\.avro$/)
  await one.close()
  await other.close()
})
