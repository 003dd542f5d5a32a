/** `npm run services`: real services for tests and examples, from package registries, without a container engine. */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { environmentOf, isRunning, purge, runningProcess, serviceNames, start, stop } from './control.ts'
import type { ServiceName } from './service.ts'
import { readState } from './state.ts'
import { progress } from './tools.ts'

const usage = `npm run services -- <command> [${serviceNames.join('] [')}]        no name means all of them

  up     download what is missing, start, wait until it answers, print the environment as export lines
         --port <service>.<port>=<number>   fix a port, for example --port kafka.client=9092
  down   stop; --purge deletes data, ports and logs too
  status what runs, and where
  env    print the environment of what runs as export lines
  with   run a command with the services up: with [names] -- <command>; stops again what it started

eval "$(npm run -s services -- up)" sets the environment of your shell.
`

async function main(argv: readonly string[]): Promise<number> {
  const separator = argv.indexOf('--')
  const own = separator < 0 ? argv : argv.slice(0, separator)
  const command = separator < 0 ? [] : argv.slice(separator + 1)
  const { values, positionals } = parseArgs({
    args: [...own],
    allowPositionals: true,
    options: { purge: { type: 'boolean' }, port: { type: 'string', multiple: true }, help: { type: 'boolean' } },
  })
  const [action, ...rest] = positionals
  if (values.help || action === undefined) {
    process.stdout.write(usage)
    return values.help ? 0 : 2
  }
  const names = namesFrom(rest)
  switch (action) {
    case 'up':
      await up(names, values.port ?? [], [])
      printEnvironment(names)
      return 0
    case 'down':
      await down(names, values.purge ?? false)
      return 0
    case 'status':
      return status(names)
    case 'env':
      printEnvironment(names.filter(isRunning))
      return 0
    case 'with':
      return withServices(names, command)
    default:
      throw new Error(`unknown command "${action}"\n\n${usage}`)
  }
}

function namesFrom(words: readonly string[]): readonly ServiceName[] {
  for (const word of words) {
    if (!serviceNames.some((name) => name === word)) {
      throw new Error(`there is no service "${word}"; there are: ${serviceNames.join(', ')}`)
    }
  }
  return words.length === 0 ? serviceNames : serviceNames.filter((name) => words.includes(name))
}

/** Adds to `started` as it goes, so that the caller knows what to stop when one of them fails. */
async function up(
  names: readonly ServiceName[],
  portOptions: readonly string[],
  started: ServiceName[],
): Promise<void> {
  const ports = portsFrom(portOptions)
  for (const name of names) {
    const begin = Date.now()
    if (await start(name, { ports: ports[name] })) {
      started.push(name)
      progress(`${name}: up after ${((Date.now() - begin) / 1000).toFixed(1)} s, process ${runningProcess(name)?.pid}`)
    } else {
      progress(`${name}: already up`)
    }
  }
}

async function down(names: readonly ServiceName[], withData: boolean): Promise<void> {
  for (const name of names) {
    const running = isRunning(name)
    if (withData) await purge(name)
    else await stop(name)
    progress(`${name}: ${running ? 'stopped' : 'was not running'}${withData ? ', data deleted' : ''}`)
  }
}

function status(names: readonly ServiceName[]): number {
  for (const name of names) {
    const running = runningProcess(name)
    const ports = Object.entries(readState()[name]?.ports ?? {}).map(([port, number]) => `${port} ${number}`)
    const facts = [running ? `up, process ${running.pid}` : 'down', ...ports]
    process.stdout.write(`${name}: ${facts.join(', ')}\n`)
  }
  return names.every(isRunning) ? 0 : 1
}

async function withServices(names: readonly ServiceName[], command: readonly string[]): Promise<number> {
  const [file, ...args] = command
  if (file === undefined) throw new Error(`with: no command given\n\n${usage}`)
  // Whoever brings their own broker says so through the environment, and gets no second one.
  const missing = names.filter((name) => !(primaryVariable[name] in process.env))
  const started: ServiceName[] = []
  try {
    await up(missing, [], started)
    const env = { ...Object.assign({}, ...missing.map(environmentOf)), ...process.env }
    return await exitCode(file, args, env)
  } finally {
    await down(started, false)
  }
}

const primaryVariable: Record<ServiceName, string> = {
  kafka: 'KAFKA_BROKERS',
  registry: 'SCHEMA_REGISTRY_URL',
  s3: 'S3_ENDPOINT',
}

function exitCode(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(file, args, { stdio: 'inherit', env })
  // The terminal sends Ctrl-C to the child as well: outlive it, then stop the services.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

function printEnvironment(names: readonly ServiceName[]): void {
  for (const [variable, value] of names.flatMap((name) => Object.entries(environmentOf(name)))) {
    process.stdout.write(`export ${variable}='${value}'\n`)
  }
}

function portsFrom(options: readonly string[]): Partial<Record<ServiceName, Record<string, number>>> {
  const ports: Partial<Record<ServiceName, Record<string, number>>> = {}
  for (const option of options) {
    const [, word = '', port = '', number] = /^(\w+)\.(\w+)=(\d+)$/.exec(option) ?? []
    const name = serviceNames.find((candidate) => candidate === word)
    if (name === undefined) throw new Error(`--port ${option}: expected <service>.<port>=<number>`)
    ports[name] = { ...ports[name], [port]: Number(number) }
  }
  return ports
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  progress(`services: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
