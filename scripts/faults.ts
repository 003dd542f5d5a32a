/** `npm run faults`: kills, cuts and fills disks under load, on real services, and compares with the straight run. */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const usage = `npm run faults -- [file ...] [--rounds N] [--seed S] [--minutes M]

  --rounds N   how often each fault is injected; without it a short round of every test
  --seed S     repeats the random choices of an earlier run, which printed it
  --minutes M  how long the soak goes on; without it half a minute
  file         part of a path below test/faults: only these
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    minutes: { type: 'string' },
    help: { type: 'boolean' },
  },
})
const isCount = (text: string | undefined) => text === undefined || /^[1-9]\d*$/.test(text)
if (values.help || !isCount(values.rounds) || !isCount(values.seed) || !isCount(values.minutes)) {
  process.stderr.write(usage)
  process.exit(values.help ? 0 : 2)
}

const seed = values.seed ?? String(1 + Math.floor(Math.random() * 2 ** 31))
process.stdout.write(`faults: --seed ${seed}${values.rounds ? ` --rounds ${values.rounds}` : ''}\n`)
const services = ['scripts/services/main.ts', 'with', '--']
const { status } = spawnSync(process.execPath, [...services, 'vitest', 'run', '--project', 'faults', ...positionals], {
  stdio: 'inherit',
  env: {
    ...process.env,
    FAULT_SEED: seed,
    ...(values.rounds && { FAULT_ROUNDS: values.rounds }),
    ...(values.minutes && { FAULT_MINUTES: values.minutes }),
  },
})
process.exitCode = status ?? 1
