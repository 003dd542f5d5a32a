import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3'
import { createClient, loadS3Sdk, type S3Sdk } from '../../s3/client.ts'
import { httpStatus, missingBucket, s3Error } from '../../s3/errors.ts'
import type { S3Target } from '../../s3/target.ts'
import { type Retries, retrying } from './retry.ts'
import { assertSameContent } from './same-content.ts'
import type { LakeEntry, LakeObject, LakeStore } from './store.ts'

/** Above this, an object is sent in parts of a quarter of it: a broken connection then costs less. */
const SINGLE_PUT_LIMIT = 64 * 1024 * 1024
/** S3's own lower bound of a part. */
const MIN_PART_SIZE = 5 * 1024 * 1024
const DIGEST = 'millrace-sha256'

export interface S3StoreOptions {
  readonly retries: Retries
  /** Tests make these small. */
  readonly singlePutLimit?: number
  readonly requestTimeout?: number
}

/** A lake in a bucket. An object appears whole or not at all, and only where there was none of its name. */
export async function s3Store(target: S3Target, options: S3StoreOptions): Promise<LakeStore> {
  const sdk = await loadS3Sdk()
  const client = createClient(sdk, target, options.requestTimeout)
  const { HeadBucketCommand, HeadObjectCommand, GetObjectCommand, ListObjectsV2Command } = sdk.s3
  const { bucket: Bucket } = target
  const root = target.prefix ? `${target.prefix}/` : ''
  const place = (path: string) => `s3://${Bucket}/${root}${path}`

  function attempt<T>(action: string, call: () => Promise<T>): Promise<T> {
    return retrying(options.retries, () =>
      call().catch((error: unknown) => {
        throw s3Error(error, action, target)
      }),
    )
  }

  async function download(path: string): Promise<Buffer> {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: root + path }))
    return Buffer.from(await Body!.transformToByteArray())
  }

  /** Throws unless the object of the same name holds the same. */
  async function compare(path: string, object: LakeObject): Promise<void> {
    const { Metadata } = await client.send(new HeadObjectCommand({ Bucket, Key: root + path }))
    if (Metadata?.[DIGEST] === object.digest) return
    assertSameContent(await download(path), object, place(path))
  }

  return {
    async prepare() {
      await attempt(`reach bucket ${Bucket}`, async () => {
        try {
          await client.send(new HeadBucketCommand({ Bucket }))
        } catch (error) {
          // Answers to HEAD have no body, so the name of the error is not told.
          if (httpStatus(error) === 404) throw missingBucket(target, error as Error)
          // Whoever may write need not be allowed to ask.
          if (httpStatus(error) !== 403) throw error
        }
      })
    },
    put: (path, object) =>
      attempt(`write ${place(path)}`, async () => {
        try {
          const limit = options.singlePutLimit ?? SINGLE_PUT_LIMIT
          await upload(sdk, client, limit, {
            Bucket,
            Key: root + path,
            Body: object.bytes,
            ContentType: 'application/vnd.apache.avro+binary',
            IfNoneMatch: '*',
            Metadata: { [DIGEST]: object.digest, 'millrace-rows': String(object.rows) },
          })
          return 'written'
        } catch (error) {
          if (httpStatus(error) !== 412) throw error
          await compare(path, object)
          return 'present'
        }
      }),
    async *list(prefix): AsyncGenerator<LakeEntry> {
      let token: string | undefined
      do {
        const page = await attempt(`list ${place(prefix)}`, () =>
          client.send(new ListObjectsV2Command({ Bucket, Prefix: root + prefix, ContinuationToken: token })),
        )
        for (const { Key, Size } of page.Contents ?? []) yield { path: Key!.slice(root.length), size: Size ?? 0 }
        token = page.NextContinuationToken
      } while (token !== undefined)
    },
    read: (path) => attempt(`read ${place(path)}`, () => download(path)),
    close: () => client.destroy(),
  }
}

async function upload(sdk: S3Sdk, client: S3Client, limit: number, params: PutObjectCommandInput): Promise<void> {
  if ((params.Body as Buffer).length <= limit) {
    await client.send(new sdk.s3.PutObjectCommand(params))
    return
  }
  const partSize = Math.max(limit / 4, MIN_PART_SIZE)
  await new sdk.storage.Upload({ client, params, partSize, queueSize: 2 }).done()
}
