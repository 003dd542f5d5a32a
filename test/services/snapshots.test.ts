import { expect, it } from 'vitest'
import { snapshotBucket } from '../../src/snapshots/bucket.ts'
import { snapshotStoreContract } from '../../src/testing/contracts/snapshot-store.ts'
import { s3Bucket, uniqueName } from '../support/services.ts'

const prefix = uniqueName('snapshots')

snapshotStoreContract('a bucket', () => snapshotBucket({ ...s3Bucket(), prefix }))

it('says that the bucket is not there', async () => {
  const store = snapshotBucket({ ...s3Bucket(), bucket: 'no-such-bucket' })
  await expect(store.open()).rejects.toMatchObject({ hint: expect.stringContaining('create it') })
  store.close()
})
