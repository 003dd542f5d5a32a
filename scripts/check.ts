/** `npm run check`: everything that must hold before a change goes in. All steps run, so that one run shows all that is wrong. */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'

const steps: Record<string, readonly (readonly string[])[]> = {
  lint: [['biome', 'check', '--error-on-warnings', '.']],
  types: [['tsc', '-p', 'tsconfig.json']],
  imports: [['depcruise', '--config', '.dependency-cruiser.cjs', ...sourceFolders(), '--output-type', 'err-long']],
  unused: [['knip']],
  package: [
    ['tsc', '-p', 'tsconfig.build.json'],
    ['publint', '--strict'],
  ],
  tests: [['vitest', 'run', '--project', 'unit']],
}

const usage = `npm run check -- [step ...] [--without step]        steps: ${Object.keys(steps).join(', ')}\n`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { without: { type: 'string', multiple: true, default: [] }, help: { type: 'boolean' } },
})
const named = [...positionals, ...values.without]
if (values.help || named.some((name) => !(name in steps))) {
  process.stderr.write(usage)
  process.exit(values.help ? 0 : 2)
}

const chosen = Object.keys(steps).filter(
  (name) => (positionals.length === 0 || positionals.includes(name)) && !values.without.includes(name),
)
const failed = chosen.filter((name) => !passes(name))
process.stdout.write(failed.length === 0 ? '\ncheck: all good\n' : `\ncheck: failed: ${failed.join(', ')}\n`)
process.exitCode = failed.length === 0 ? 0 : 1

function passes(name: string): boolean {
  process.stdout.write(`\n== ${name}\n`)
  const begin = Date.now()
  if (name === 'package') rmSync('dist', { recursive: true, force: true }) // no file of an earlier build
  const good = (steps[name] ?? []).every(
    ([tool = '', ...args]) => spawnSync(tool, args, { stdio: 'inherit' }).status === 0,
  )
  process.stdout.write(`== ${name}: ${good ? 'ok' : 'FAILED'}, ${((Date.now() - begin) / 1000).toFixed(1)} s\n`)
  return good
}

function sourceFolders(): string[] {
  return ['src', 'test', 'scripts', 'examples', 'benchmarks'].filter((folder) => existsSync(folder))
}
