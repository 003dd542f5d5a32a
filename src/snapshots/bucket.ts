import type { S3Client } from '@aws-sdk/client-s3'
import { createClient, loadS3Sdk, type S3Sdk } from '../s3/client.ts'
import { httpStatus, missingBucket, s3Error } from '../s3/errors.ts'
import type { S3Target } from '../s3/target.ts'
import type { SnapshotStore } from './snapshot-store.ts'

/** What one request of DeleteObjects takes (S3 API reference). */
const REMOVED_AT_ONCE = 1_000

/**
 * Keeps snapshots in a bucket of AWS or of any server that speaks its protocol: an instance on another machine then
 * restores as quickly as one on the same.
 *
 * Needs `@aws-sdk/client-s3`; throws `MISSING_DEPENDENCY` on opening when it is not installed.
 *
 * @example
 * ```ts
 * await run(shop, { log, snapshots: { to: snapshotBucket({ bucket: 'state', prefix: 'shop' }) } })
 * ```
 */
export function snapshotBucket(target: S3Target): SnapshotStore {
  const { bucket: Bucket } = target
  const root = target.prefix ? `${target.prefix.replace(/^\/+|\/+$/g, '')}/` : ''
  let opened: { readonly sdk: S3Sdk; readonly client: S3Client } | undefined

  const attempt = async <T>(action: string, work: (client: S3Client, s3: S3Sdk['s3']) => Promise<T>): Promise<T> => {
    if (opened === undefined) {
      const sdk = await loadS3Sdk()
      opened = { sdk, client: createClient(sdk, target) }
    }
    try {
      return await work(opened.client, opened.sdk.s3)
    } catch (error) {
      throw s3Error(error, action, target)
    }
  }
  const location = `s3://${Bucket}/${root}`
  return {
    location,
    open: () =>
      attempt(`reach bucket ${Bucket}`, async (client, { HeadBucketCommand }) => {
        try {
          await client.send(new HeadBucketCommand({ Bucket }))
        } catch (error) {
          // Answers to HEAD have no body, so the name of the error is not told.
          if (httpStatus(error) === 404) throw missingBucket(target, error as Error)
          // Whoever may write need not be allowed to ask.
          if (httpStatus(error) !== 403) throw error
        }
      }),
    list: (folder) =>
      attempt(`list ${location}${folder}`, async (client, { ListObjectsV2Command }) => {
        const Prefix = `${root}${folder}/`
        const names: string[] = []
        let token: string | undefined
        do {
          const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: token }))
          for (const { Key } of page.Contents ?? []) names.push(Key!.slice(Prefix.length))
          token = page.NextContinuationToken
        } while (token !== undefined)
        return names.filter((name) => !name.includes('/'))
      }),
    write: (path, bytes) =>
      attempt(
        `write ${location}${path}`,
        async (client, { PutObjectCommand }) =>
          void (await client.send(new PutObjectCommand({ Bucket, Key: root + path, Body: bytes }))),
      ),
    read: (path) =>
      attempt(`read ${location}${path}`, async (client, { GetObjectCommand }) => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: root + path }))
          return Buffer.from(await Body!.transformToByteArray())
        } catch (error) {
          if (httpStatus(error) === 404) return undefined
          throw error
        }
      }),
    remove: (paths) =>
      attempt(`remove from ${location}`, async (client, { DeleteObjectsCommand }) => {
        for (let i = 0; i < paths.length; i += REMOVED_AT_ONCE) {
          const Objects = paths.slice(i, i + REMOVED_AT_ONCE).map((path) => ({ Key: root + path }))
          await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
        }
      }),
    close() {
      opened?.client.destroy()
      opened = undefined
    },
  }
}
