export type { S3Credentials, S3Target } from '../s3/target.ts'
export { snapshotBucket } from './bucket.ts'
export { snapshotDirectory } from './directory.ts'
export type { SnapshotStore } from './snapshot-store.ts'
