/** `npm run docs`: writes a page per operator from the doc comments; `-- --check` only says what is stale or missing. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { brokenLinks } from './links.ts'
import { operators } from './operators.ts'
import { indexOf, pageOf, problemsOf } from './page.ts'

const FOLDER = 'docs/operators'

const { values: args } = parseArgs({ options: { check: { type: 'boolean', default: false } } })

const documented = operators()
const pages = new Map(documented.map((operator) => [`${operator.name}.md`, pageOf(operator)]))
pages.set('README.md', indexOf(documented))
const problems = documented.flatMap(problemsOf)

mkdirSync(FOLDER, { recursive: true })
const there = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]))
const stale = [...pages].filter(([name, text]) => there.get(name) !== text).map(([name]) => name)
const surplus = [...there.keys()].filter((name) => !pages.has(name))

if (args.check) {
  problems.push(...brokenLinks(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'], 'docs'))
  for (const name of stale) problems.push(`${join(FOLDER, name)} is stale: npm run docs`)
  for (const name of surplus) problems.push(`${join(FOLDER, name)} belongs to no operator: npm run docs`)
} else {
  for (const name of stale) writeFileSync(join(FOLDER, name), pages.get(name)!)
  for (const name of surplus) rmSync(join(FOLDER, name))
  process.stdout.write(`${pages.size} pages, ${stale.length} written, ${surplus.length} removed\n`)
}
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exitCode = problems.length > 0 ? 1 : 0
