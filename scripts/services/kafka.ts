/**
 * One Kafka node in KRaft mode: broker and controller in one process, with listeners that are plain, demand SASL over TLS or a
 * client certificate, and one that sends its clients through a port of their own, for a proxy that a test puts there.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCertificates } from './certificates.ts'
import { requireJava } from './java.ts'
import { probeBroker } from './kafka-probe.ts'
import { kafkaVersion as version } from './paths.ts'
import type { Place, Service } from './service.ts'
import { installOnce, runTool } from './tools.ts'

const user = 'app'
const password = 'app-secret'
const clusterId = 'bWlsbHJhY2UtdGVzdHMtMA' // any 16 bytes in base64

/** Made for tests: a fast start, little memory. Who measures gives it what it has in production. */
const jvm = process.env.MILLRACE_KAFKA_JVM?.split(' ') ?? ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

const libraries = (cache: string): string => join(cache, `kafka-${version}`)
const classpath = (cache: string): string => join(libraries(cache), '*')
const configuration = (place: Place): string => join(place.directory, 'server.properties')
const certificates = (place: Place): string => join(place.directory, 'certificates')

export const kafka: Service = {
  name: 'kafka',
  ports: ['client', 'secure', 'controller', 'certified', 'proxied', 'proxy'],

  async install(cache) {
    await requireJava(17, `Kafka ${version}`)
    await installOnce(libraries(cache), `Kafka ${version} (Maven)`, async (scratch) => {
      writeFileSync(join(scratch, 'pom.xml'), pom)
      const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${scratch}`]
      await runTool('mvn', ['-q', '-B', '-ntp', ...goal], { cwd: scratch })
      rmSync(join(scratch, 'pom.xml'))
    })
  },

  async prepare(place) {
    await createCertificates(certificates(place))
    writeFileSync(configuration(place), properties(place))
    const data = join(place.directory, 'data')
    if (existsSync(join(data, 'meta.properties'))) return
    mkdirSync(data, { recursive: true })
    const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${user},password=${password}]`,
    ])
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', configuration(place), ...users]
    await runTool('java', ['-cp', classpath(place.cache), ...format])
  },

  command: async (place) => ({
    file: 'java',
    args: [
      ...jvm,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
      '-cp',
      classpath(place.cache),
      'kafka.Kafka',
      configuration(place),
    ],
  }),

  probe: (place) => probeBroker('127.0.0.1', place.ports.client),

  environment: (place) => ({
    KAFKA_BROKERS: `127.0.0.1:${place.ports.client}`,
    KAFKA_SECURE_BROKERS: `localhost:${place.ports.secure}`,
    KAFKA_SECURE_CA: join(certificates(place), 'ca.pem'),
    KAFKA_SECURE_USER: user,
    KAFKA_SECURE_PASSWORD: password,
    KAFKA_CERTIFIED_BROKERS: `localhost:${place.ports.certified}`,
    KAFKA_CLIENT_CERTIFICATE: join(certificates(place), 'client.pem'),
    KAFKA_CLIENT_KEY: join(certificates(place), 'client.key'),
    KAFKA_PROXIED_LISTENER: `127.0.0.1:${place.ports.proxied}`,
    KAFKA_PROXY_ADDRESS: `127.0.0.1:${place.ports.proxy}`,
  }),
}

// slf4j-simple 1.7 logs without a configuration file; Kafka brings slf4j-api 1.7, which a binding for slf4j 2 would not fit.
const pom = `<project><modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
`

const properties = (place: Place): string => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${place.ports.controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${place.ports.client},SASL_SSL://127.0.0.1:${place.ports.secure},CERTIFIED://127.0.0.1:${place.ports.certified},PROXIED://127.0.0.1:${place.ports.proxied},CONTROLLER://127.0.0.1:${place.ports.controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${place.ports.client},SASL_SSL://localhost:${place.ports.secure},CERTIFIED://localhost:${place.ports.certified},PROXIED://127.0.0.1:${place.ports.proxy}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CERTIFIED:SSL,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${join(place.directory, 'data')}

ssl.keystore.type=PEM
ssl.keystore.location=${join(certificates(place), 'broker.pem')}
ssl.truststore.type=PEM
ssl.truststore.location=${join(certificates(place), 'ca.pem')}
listener.name.certified.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;

# Takes unsigned JSON web tokens: good enough to see that the client brings one.
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="${user}";

# One node, few partitions: the defaults (50 each, 3 replicas) are for clusters.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=500

# Tests do not wait: no delay before the first assignment, short sessions allowed, expired transactions found soon.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
group.streams.initial.rebalance.delay.ms=0
group.streams.min.assignment.interval.ms=0
group.streams.assignment.interval.ms=0
group.streams.min.session.timeout.ms=500
group.streams.min.heartbeat.interval.ms=100
group.streams.min.task.offset.interval.ms=100
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000

# Test records carry old timestamps; retention by time would delete them while a test reads.
log.retention.ms=-1
log.retention.check.interval.ms=86400000

# A topic that nobody created is a fault of the program under test.
auto.create.topics.enable=false
`
