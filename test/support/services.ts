/**
 * The real services, for tests in test/services/. `npm run test:services` brings them up; while writing a test,
 * `npm run services -- up` keeps them up. Fault tests hurt them through the functions at the end.
 */
import { readFileSync } from 'node:fs'
import { environmentOf, isRunning } from '../../scripts/services/control.ts'
import type { ServiceName } from '../../scripts/services/service.ts'

export { isRunning, kill, pause, restart, resume, start } from '../../scripts/services/control.ts'

/** Of the listener that demands nothing. */
export const kafkaBrokers = (): string[] => variable('kafka', 'KAFKA_BROKERS').split(',')

/** The listener that demands TLS and SASL, and the one that demands a client certificate. */
export const securedKafka = () => ({
  brokers: variable('kafka', 'KAFKA_SECURE_BROKERS').split(','),
  ca: readFileSync(variable('kafka', 'KAFKA_SECURE_CA'), 'utf8'),
  username: variable('kafka', 'KAFKA_SECURE_USER'),
  password: variable('kafka', 'KAFKA_SECURE_PASSWORD'),
  certified: variable('kafka', 'KAFKA_CERTIFIED_BROKERS').split(','),
  certificate: readFileSync(variable('kafka', 'KAFKA_CLIENT_CERTIFICATE'), 'utf8'),
  key: readFileSync(variable('kafka', 'KAFKA_CLIENT_KEY'), 'utf8'),
})

/** A listener of the broker, and the address at which it tells its clients to find it: a proxy belongs there. */
export const proxiedKafka = () => ({
  listener: variable('kafka', 'KAFKA_PROXIED_LISTENER'),
  proxy: variable('kafka', 'KAFKA_PROXY_ADDRESS'),
})

/** Base URL of the Confluent-compatible interface. */
export const registryUrl = (): string => variable('registry', 'SCHEMA_REGISTRY_URL')

/** An S3 endpoint with path-style addresses, and a bucket that exists. */
export const s3Bucket = () => ({
  endpoint: variable('s3', 'S3_ENDPOINT'),
  bucket: variable('s3', 'S3_BUCKET'),
  region: variable('s3', 'AWS_REGION'),
  credentials: {
    accessKeyId: variable('s3', 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: variable('s3', 'AWS_SECRET_ACCESS_KEY'),
  },
})

let names = 0
/** A name for a topic, group, subject or prefix that no other test and no earlier run has used. */
export const uniqueName = (prefix: string): string =>
  `${prefix}-${Date.now().toString(36)}-${process.pid.toString(36)}-${names++}`

function variable(service: ServiceName, name: string): string {
  const value = process.env[name] ?? (isRunning(service) ? environmentOf(service)[name] : undefined)
  if (value === undefined)
    throw new Error(`${name} is not set and no ${service} is up: npm run services -- up ${service}`)
  return value
}
