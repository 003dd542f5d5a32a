/** A bucket, of AWS or of any server that speaks its protocol (MinIO, Ceph, R2, Versity …). */
export interface S3Target {
  readonly bucket: string
  /** Folder in the bucket. Default: none, the files begin at the top. */
  readonly prefix?: string
  /** Default: `S3_ENDPOINT`, else `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else AWS itself. */
  readonly endpoint?: string
  /** Default: `AWS_REGION`, else `AWS_DEFAULT_REGION`, else the AWS profile's, else us-east-1. */
  readonly region?: string
  /** Default: the AWS SDK's chain (`AWS_ACCESS_KEY_ID` …, profile, container, instance). */
  readonly credentials?: S3Credentials
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true with an endpoint of one's own. */
  readonly forcePathStyle?: boolean
}

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}
