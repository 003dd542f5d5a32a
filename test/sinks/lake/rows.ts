import type { AvroSchema } from '../../../src/serde/serde.ts'
import { type LakeTarget, readLake } from '../../../src/sinks/lake/index.ts'
import type { ContractRow } from '../../../src/testing/contracts/sink-fixtures.ts'

/** Everything in a lake, as a reader of the schema sees it. */
export async function rowsOf(to: LakeTarget, schema: AvroSchema): Promise<ContractRow[]> {
  const rows: ContractRow[] = []
  for await (const file of readLake<ContractRow>({ to, schema })) rows.push(...file.rows)
  return rows
}
