import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { diskState } from 'millrace/disk'
import { difference } from './compare.ts'
import { type CodecCase, checkCodec } from './families/codec.ts'
import { FAMILIES } from './families/index.ts'
import type { Fixture } from './fixture.ts'
import { observe } from './run.ts'

const HELP = `Runs conformance fixtures made by Kafka Streams through the public API.

  npm run oracle -- DIR [--family NAME] [--state disk] [--share N] [--verbose]

DIR        a folder of fixture files, one JSON array of cases each
--family   only the file NAME.json
--state    memory (default), or disk: a commit after every record, and nothing stays in memory beyond it
--share    only every Nth case, for a quick look
--verbose  show every failing case, not only the first three of a family

Ends with "N passed, N failed, N skipped"; exit code 1 when a case fails.
A family whose operators do not exist yet is skipped, and counted.`

/** Shows where Millrace differs on purpose, so it is no measure; see its README. */
const NOT_TRUTH = 'divergences'
/** Bytes instead of streams. */
const CODEC = 'codec'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    family: { type: 'string' },
    state: { type: 'string', default: 'memory' },
    share: { type: 'string', default: '1' },
    verbose: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})
const [directory] = positionals
if (values.help || directory === undefined || !['memory', 'disk'].includes(values.state)) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}

const folder = values.state === 'disk' ? mkdtempSync(join(tmpdir(), 'millrace-oracle-')) : undefined
const state = folder === undefined ? undefined : diskState(folder, { cacheBytes: 0, pageCacheBytes: 1024 * 1024 })

const total = { passed: 0, failed: 0, skipped: 0 }
const files = (await readdir(directory)).filter((file) => file.endsWith('.json')).sort()
for (const file of files) {
  const family = basename(file, '.json')
  if (family === NOT_TRUTH || (values.family !== undefined && family !== values.family)) continue
  const cases = JSON.parse(await readFile(join(directory, file), 'utf8')) as Fixture[]
  const count = { passed: 0, failed: 0, skipped: 0 }
  for (const [i, fixture] of cases.entries()) {
    if (i % Number(values.share) !== 0) continue
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
if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed > 0 ? 1 : 0)

/** undefined: passed; 'skipped'; otherwise what is wrong. */
function check(family: string, fixture: Fixture): string | undefined {
  const build = FAMILIES[family]
  try {
    if (family === CODEC) return checkCodec(fixture as unknown as CodecCase)
    const built = build?.(fixture.operator)
    if (built === undefined) return 'skipped'
    return difference(fixture, observe(fixture, built, { state, commits: state !== undefined }), built.ordered)
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : error}`
  } finally {
    state?.close()
  }
}
