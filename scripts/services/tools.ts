/** The machine's own tools: found, run, and, where one is missing, named together with what to install. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const debianPackages: Record<string, string> = {
  java: 'default-jre-headless',
  mvn: 'maven',
  go: 'golang',
  python3: 'python3 and python3-pip',
  openssl: 'openssl',
  tar: 'tar',
}

export const missingTool = (tool: string): Error =>
  new Error(`\`${tool}\` is not on this machine; on Debian, install ${debianPackages[tool] ?? tool}`)

export type RunOptions = { cwd?: string; env?: Record<string, string> }

/** Runs a tool to its end and gives what it wrote to stdout and stderr. */
export async function runTool(tool: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  try {
    const { stdout, stderr } = await run(tool, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout + stderr
  } catch (error) {
    const failure = error as NodeJS.ErrnoException & { stdout?: string; stderr?: string }
    if (failure.code === 'ENOENT') {
      throw missingTool(tool)
    }
    const output = `${failure.stdout ?? ''}${failure.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n')
    throw new Error(`${tool} ${args.join(' ')} failed:\n${output}`)
  }
}

export const progress = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/**
 * Fills `directory` once: `fill` works in a scratch directory, which takes its place only when complete, so that an interrupted
 * download is never mistaken for a finished one.
 */
export async function installOnce(
  directory: string,
  what: string,
  fill: (scratch: string) => Promise<void>,
): Promise<void> {
  if (existsSync(directory)) return
  mkdirSync(dirname(directory), { recursive: true })
  const scratch = mkdtempSync(`${directory}.partial-`)
  const started = Date.now()
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`
  progress(`${what}: downloading ...`)
  const ticker = setInterval(() => progress(`${what}: ${megabytes(scratch)} after ${seconds()} ...`), 10_000)
  try {
    await fill(scratch)
    if (!existsSync(directory)) renameSync(scratch, directory)
    progress(`${what}: ${megabytes(directory)} in ${seconds()}`)
  } finally {
    clearInterval(ticker)
    rmSync(scratch, { recursive: true, force: true })
  }
}

function megabytes(directory: string): string {
  let bytes = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return `${Math.round(bytes / 1e6)} MB`
}
