import { missingTool, runTool } from './tools.ts'

/** The version of the machine's `java`: 17 for Java 17. Throws when there is none. */
export async function javaVersion(): Promise<number> {
  const output = await runTool('java', ['-version'])
  return Number(/version "(\d+)/.exec(output)?.[1] ?? 0)
}

/** Throws unless the machine's `java` is at least `oldest`. */
export async function requireJava(oldest: number, user: string): Promise<void> {
  const version = await javaVersion()
  if (version >= oldest) return
  throw new Error(`${user} needs Java ${oldest}, this machine has ${version}`, { cause: missingTool('java') })
}
