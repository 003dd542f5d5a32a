/** Detached processes that outlive the command which started them, each the leader of its own process group. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from './service.ts'
import { missingTool } from './tools.ts'

/** A process id alone may have been reused since; together with its start time it names one process for good. */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string }

export function startDetached(command: Command, directory: string, logFile: string): ProcessIdentity {
  const log = openSync(logFile, 'a')
  try {
    const child = spawn(command.file, command.args, {
      cwd: directory,
      detached: true,
      env: { ...process.env, ...command.env },
      stdio: ['ignore', log, log],
    })
    child.on('error', () => {}) // a failed spawn has no pid, which is reported below
    child.unref()
    if (child.pid === undefined) throw missingTool(command.file)
    return { pid: child.pid, startedAt: startTime(child.pid) ?? '' }
  } finally {
    closeSync(log)
  }
}

export const isAlive = (identity: ProcessIdentity): boolean => startTime(identity.pid) === identity.startedAt

/** Signals the whole group. True when there was something to signal. */
export function signalGroup(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    process.kill(-identity.pid, signal)
    return true
  } catch {
    return false
  }
}

/** SIGTERM, and SIGKILL for what has not gone after `patience` ms. Throws when even that leaves a process behind. */
export async function terminate(identity: ProcessIdentity, patience = 15_000): Promise<void> {
  signalGroup(identity, 'SIGTERM')
  signalGroup(identity, 'SIGCONT') // a stopped process does not see SIGTERM before it goes on
  if (await goneWithin(identity, patience)) return
  signalGroup(identity, 'SIGKILL')
  if (await goneWithin(identity, 10_000)) return
  throw new Error(`process ${identity.pid} is still there after SIGKILL`)
}

export async function goneWithin(identity: ProcessIdentity, patience: number): Promise<boolean> {
  for (const deadline = Date.now() + patience; isAlive(identity); ) {
    if (Date.now() > deadline) return false
    await delay(20)
  }
  return true
}

/** When the process started, or undefined when there is none. A zombie that nobody has waited for counts as none. */
function startTime(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    try {
      // The second field is the command in parentheses and may itself contain blanks: count from behind it.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
    } catch {
      return undefined
    }
  }
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '')
  } catch {
    return undefined
  }
}
