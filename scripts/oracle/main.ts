import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { difference } from './compare.ts'
import { type CodecCase, checkCodec } from './families/codec.ts'
import { FAMILIES } from './families/index.ts'
import type { Fixture } from './fixture.ts'
import { observe } from './run.ts'

const HELP = `Runs conformance fixtures made by Kafka Streams through the public API.

  npm run oracle -- DIR [--family NAME] [--verbose]

DIR        a folder of fixture files, one JSON array of cases each
--family   only the file NAME.json
--verbose  show every failing case, not only the first three of a family

Ends with "N passed, N failed, N skipped"; exit code 1 when a case fails.
A family whose operators do not exist yet is skipped, and counted.`

/** Shows where Millrace differs on purpose, so it is no measure; see its README. */
const NOT_TRUTH = 'divergences'
/** Bytes instead of streams. */
const CODEC = 'codec'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { family: { type: 'string' }, verbose: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
})
const [directory] = positionals
if (values.help || directory === undefined) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}

const total = { passed: 0, failed: 0, skipped: 0 }
const files = (await readdir(directory)).filter((file) => file.endsWith('.json')).sort()
for (const file of files) {
  const family = basename(file, '.json')
  if (family === NOT_TRUTH || (values.family !== undefined && family !== values.family)) continue
  const cases = JSON.parse(await readFile(join(directory, file), 'utf8')) as Fixture[]
  const count = { passed: 0, failed: 0, skipped: 0 }
  for (const fixture of cases) {
    const wrong = check(family, fixture)
    if (wrong === undefined) count.passed++
    else if (wrong === 'skipped') count.skipped++
    else {
      count.failed++
      if (values.verbose || count.failed <= 3) console.log(`  ${fixture.case}\n    ${wrong}`)
    }
  }
  total.passed += count.passed
  total.failed += count.failed
  total.skipped += count.skipped
  console.log(`${family.padEnd(24)} ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
}
if (total.passed + total.failed + total.skipped === 0) {
  console.error(`no fixtures found in ${directory}${values.family ? ` for the family "${values.family}"` : ''}`)
  process.exit(2)
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed > 0 ? 1 : 0)

/** undefined: passed; 'skipped'; otherwise what is wrong. */
function check(family: string, fixture: Fixture): string | undefined {
  const build = FAMILIES[family]
  try {
    if (family === CODEC) return checkCodec(fixture as unknown as CodecCase)
    const built = build?.(fixture.operator)
    return built ? difference(fixture, observe(fixture, built), built.ordered) : 'skipped'
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : error}`
  }
}
