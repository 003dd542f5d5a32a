import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireJava } from '../../scripts/services/java.ts'
import { progress, runTool } from '../../scripts/services/tools.ts'

/** Another stream processor: a Maven module beside this file, whose program takes the arguments of `run-peer.ts`. */
export interface Peer {
  readonly name: string
  readonly mainClass: string
  /** Of the jobs of contests.ts. */
  readonly jobs: readonly string[]
  readonly jvm: readonly string[]
}

/** For throughput on two processors: as much as with the default collector, and a third of its memory. */
const heap = ['-Xmx1g', '-XX:+UseParallelGC']
// Avro 1.12 makes no object of a class that it was not told to trust.
const avro = '-Dorg.apache.avro.SERIALIZABLE_PACKAGES=bench'

/** The jobs of Kafka Streams are ours: what it does is what is compared. */
const kafkaStreams: Peer = {
  name: 'kafka-streams',
  mainClass: 'bench.kafkastreams.Main',
  jobs: ['tumbling', 'repartition', 'stateless', 'sliding', 'join', 'restore', 'first-result'],
  jvm: [...heap, avro],
}

/** It has no sliding windows of Kafka Streams' kind, and no changelog topic to restore from. */
const flink: Peer = {
  name: 'flink',
  mainClass: 'bench.flink.Main',
  jobs: ['tumbling', 'repartition', 'stateless', 'join', 'first-result'],
  // What its scripts set for Java 17: it looks into the classes of the runtime.
  jvm: [
    ...heap,
    avro,
    ...['lang', 'util', 'util.concurrent'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  ],
}

export const allPeers: readonly Peer[] = [kafkaStreams, flink]

const folder = import.meta.dirname
const shared = 'common'

export const classpathOf = ({ name }: Peer): string =>
  ['classes', 'lib/*'].map((part) => join(folder, name, 'target', part)).join(':')

/** Compiles the peer with Maven unless it is as new as its sources. The first time downloads what it depends on. */
export async function build(peer: Peer): Promise<void> {
  await requireJava(17, peer.name)
  const target = join(folder, peer.name, 'target')
  const stamp = join(target, 'built')
  const builtAt = existsSync(stamp) ? statSync(stamp).mtimeMs : 0
  if (builtAt >= newest(['pom.xml', ...[shared, peer.name].flatMap((of) => [`${of}/pom.xml`, `${of}/src`])])) return
  const began = Date.now()
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`
  progress(`${peer.name}: building with Maven; the first time it downloads about 100 MB ...`)
  const ticker = setInterval(() => progress(`${peer.name}: still building after ${seconds()} ...`), 10_000)
  try {
    await runTool('mvn', ['-q', '-B', '-ntp', 'package', '-pl', `${shared},${peer.name}`], { cwd: folder })
    mkdirSync(target, { recursive: true })
    writeFileSync(stamp, '')
    progress(`${peer.name}: built in ${seconds()}`)
  } finally {
    clearInterval(ticker)
  }
}

/** When the newest of the files was changed, those in folders included. */
function newest(paths: readonly string[]): number {
  const files = paths.flatMap((path) => {
    const whole = join(folder, path)
    if (!statSync(whole).isDirectory()) return [whole]
    return readdirSync(whole, { recursive: true, encoding: 'utf8' }).map((name) => join(whole, name))
  })
  return Math.max(...files.map((file) => statSync(file).mtimeMs))
}
