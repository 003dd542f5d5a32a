import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, globSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..', '..')
/** Beside other tools' caches; no file of it is ever checked in. */
const cache = join(root, 'node_modules', '.cache', 'millrace-benchmarks')
/** Whatever the JavaScript depends on. */
const SOURCES = [
  '{src,benchmarks,examples,scripts,schemas}/**/*.{ts,avsc}',
  'package{,-lock}.json',
  '{.,benchmarks}/tsconfig*.json',
  'rolldown.config.ts',
]
const OUTDATED_MS = 24 * 3600 * 1000

let folder: string | undefined

/**
 * A file of `benchmarks/suite` as JavaScript, by its name without extension. What is measured is what users run: the package
 * as it is built, not its sources, whose types Node would strip in every process and thread. Compiled again, in a few
 * seconds, when a source has changed.
 */
export function compiled(name: string): URL {
  folder ??= compile()
  return pathToFileURL(join(folder, 'benchmarks', 'suite', `${name}.js`))
}

function compile(): string {
  const target = join(cache, digest())
  if (existsSync(target)) return target
  removeOutdated()
  process.stderr.write('compiling what is measured …\n')
  const fresh = `${target}.${process.pid}`
  execute('typescript', 'tsc', ['-p', 'benchmarks', '--outDir', fresh], process.stderr.fd)
  // A package of the same name around it, so that 'millrace' is its own, as published.
  // What it writes to stdout is a list of all files.
  execute('rolldown', 'rolldown', ['-c', '--dir', join(fresh, 'dist')], 'ignore')
  cpSync(join(root, 'package.json'), join(fresh, 'package.json'))
  cpSync(join(root, 'schemas'), join(fresh, 'schemas'), { recursive: true })
  try {
    renameSync(fresh, target)
  } catch (error) {
    // Another command was quicker.
    rmSync(fresh, { recursive: true })
    if (!existsSync(target)) throw error
  }
  return target
}

/** A command of a package, in the root of the project. */
function execute(name: string, command: string, args: readonly string[], stdout: number | 'ignore'): void {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: Record<string, string> }
  const script = join(dirname(manifest), bin[command])
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', stdout, 'inherit'] })
}

function digest(): string {
  const hash = createHash('sha256')
  for (const file of globSync(SOURCES, { cwd: root }).sort()) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 16)
}

/** Those of yesterday; a newer one may be in use by another command. */
function removeOutdated(): void {
  if (!existsSync(cache)) return
  for (const name of readdirSync(cache)) {
    const path = join(cache, name)
    if (Date.now() - statSync(path).mtimeMs > OUTDATED_MS) rmSync(path, { recursive: true, force: true })
  }
}
