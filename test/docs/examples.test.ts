import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { plan } from 'millrace'
import { marbles } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileErrors, programOf } from '../../scripts/docs/compile.ts'
import { availableNames, examplesIn, examplesUnder, moduleOf } from '../../scripts/docs/examples.ts'
import { shown } from './show.ts'

/** What an example may use without importing it; of two that export one name the first wins. */
const MODULES = [
  { file: 'test/docs/prelude.ts', from: '../../test/docs/prelude.ts' },
  { file: 'src/index.ts', from: 'millrace' },
  { file: 'src/testing/index.ts', from: 'millrace/testing' },
  { file: 'src/log/kafka/index.ts', from: 'millrace/kafka' },
  { file: 'src/log/embedded/embedded.ts', from: 'millrace/embedded' },
  { file: 'src/serde/avro/index.ts', from: 'millrace/avro' },
  { file: 'src/sinks/clickhouse/index.ts', from: 'millrace/clickhouse' },
  { file: 'src/sinks/lake/index.ts', from: 'millrace/lake' },
  { file: 'src/state/disk/index.ts', from: 'millrace/disk' },
  { file: 'src/snapshots/index.ts', from: 'millrace/snapshots' },
  { file: 'src/testing/contracts/index.ts', from: 'millrace/contracts' },
  { file: 'test/docs/modules.ts', from: '../../test/docs/modules.ts' },
]

/** Examples that need a broker, a file or a test framework compile only. */
const RUNS =
  /^src\/(operators|windows|aggregates|topology|errors|serde|sinks\/clickhouse\/clickhouse|sinks\/lake\/lake|testing\/marbles)/

const examples = [...examplesUnder('src'), ...['README.md', 'docs/windows.md', 'docs/upgrading.md'].flatMap(examplesIn)]
const runs = ({ file, code }: (typeof examples)[number]) => RUNS.test(file) && !code.includes('await ')

// Modules in a folder of the package, since that is where 'millrace' resolves to it.
const FOLDER = `.generated/docs-${process.pid}`
const files = examples.map((_, i) => resolve(FOLDER, `example-${i}.ts`))

beforeAll(() => {
  const program = programOf(MODULES.map(({ file }) => file))
  const available = availableNames(program, MODULES)
  mkdirSync(FOLDER, { recursive: true })
  const modules = new Map(examples.map(({ code }, i) => [files[i], moduleOf(code, available)]))
  for (const [file, text] of modules) writeFileSync(file, text)
  errors = compileErrors(modules, program)
}, 120_000)
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))
let errors = new Map<string, string[]>()

const load = async (i: number): Promise<unknown> =>
  (await import(/* @vite-ignore */ pathToFileURL(files[i]).href)).default

it('finds the examples', () => {
  expect(examples.length).toBeGreaterThan(60)
  expect(examples.filter(({ diagram }) => diagram !== undefined).length).toBeGreaterThan(20)
})

describe('compiles', () => {
  it.each(examples.map(({ where }, i) => [where, i] as const))('%s', (_, i) => {
    expect(errors.get(files[i]) ?? []).toEqual([])
  })
})

describe('runs', () => {
  const running = examples.flatMap((example, i) =>
    runs(example) && example.diagram === undefined ? [[example.where, i] as const] : [],
  )
  it.each(running)('%s', async (_, i) => {
    const topology = shown(await load(i))
    if (topology) expect(plan(topology).subtopologies.length).toBeGreaterThan(0)
  })
})

describe('does what the marble shows', () => {
  const shownBy = examples.flatMap(({ where, diagram }, i) =>
    diagram === undefined ? [] : [[where, diagram, i] as const],
  )
  it.each(shownBy)('%s', async (_, diagram, i) => {
    const topology = shown(await load(i))
    if (!topology) throw new Error('a marble must end in a stream, a table or an output')
    marbles(topology, diagram)
  })
})
