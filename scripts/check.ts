/** `npm run check`: what must hold before a change goes in. Every step runs, so that one run shows all that is wrong. */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

/** Scripts of package.json, quick ones first. */
const steps = ['lint', 'types', 'docs', 'imports', 'unused', 'package', 'test']

const usage = `npm run check -- [step ...] [--without step]        steps: ${steps.join(', ')}\n`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { without: { type: 'string', multiple: true, default: [] }, help: { type: 'boolean' } },
})
if (values.help || [...positionals, ...values.without].some((step) => !steps.includes(step))) {
  process.stderr.write(usage)
  process.exit(values.help ? 0 : 2)
}

const wanted = positionals.length === 0 ? steps : steps.filter((step) => positionals.includes(step))
const failed = wanted.filter((step) => !values.without.includes(step)).filter((step) => !passes(step))
process.stdout.write(failed.length === 0 ? '\ncheck: all good\n' : `\ncheck: failed: ${failed.join(', ')}\n`)
process.exitCode = failed.length === 0 ? 0 : 1

function passes(step: string): boolean {
  process.stdout.write(`\n== ${step}\n`)
  const begin = Date.now()
  const how = step === 'docs' ? ['docs', '--', '--check'] : [step]
  const good = spawnSync('npm', ['run', '--silent', ...how], { stdio: 'inherit' }).status === 0
  process.stdout.write(`== ${step}: ${good ? 'ok' : 'FAILED'}, ${((Date.now() - begin) / 1000).toFixed(1)} s\n`)
  return good
}
