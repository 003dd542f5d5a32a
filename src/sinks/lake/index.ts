/** `millrace/lake`: streams as Avro files in a directory or a bucket, exactly once. */

export type { S3Credentials, S3Target } from '../../s3/target.ts'
export type { ContainerCodec } from './container.ts'
export { type LakeOptions, lake } from './lake.ts'
export type { LakeFileName } from './layout.ts'
export {
  type LakeFile,
  type LakeFileRows,
  lakeFiles,
  type ReadLakeOptions,
  type ReadRowsOptions,
  readLake,
} from './read-lake.ts'
export type { LakeTarget } from './target.ts'
