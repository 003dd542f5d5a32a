export { kafka } from './kafka.ts'
export type { KafkaLogEntry, KafkaOptions, SaslOptions } from './options.ts'
