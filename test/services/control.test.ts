/** What the fault tests rely on: services lose nothing they have acknowledged, and come back where they were. */
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterEach, expect, test } from 'vitest'
import {
  isRunning,
  kill,
  pause,
  registryUrl,
  restart,
  resume,
  s3Bucket,
  start,
  uniqueName,
} from '../support/services.ts'

afterEach(async () => {
  await start('registry')
  await start('s3')
})

const registerSchema = async (subject: string): Promise<number> => {
  const response = await fetch(`${registryUrl()}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      schema: JSON.stringify({ type: 'enum', name: subject.replaceAll('-', '_'), symbols: ['A'] }),
    }),
  })
  return ((await response.json()) as { id: number }).id
}

test('a killed registry comes back with the ids it has given', async () => {
  const subject = uniqueName('control')
  const id = await registerSchema(subject)
  await kill('registry')
  expect(isRunning('registry')).toBe(false)
  await expect(fetch(registryUrl())).rejects.toThrow()

  await start('registry')
  const response = await fetch(`${registryUrl()}/subjects/${subject}/versions/1`)
  expect(await response.json()).toMatchObject({ id, subject, version: 1 })
  expect(await (await fetch(`${registryUrl()}/config`)).json()).toEqual({ compatibilityLevel: 'BACKWARD' })
})

test('a paused registry takes connections and answers nothing until it is resumed', async () => {
  await pause('registry')
  try {
    const impatient = fetch(`${registryUrl()}/subjects`, { signal: AbortSignal.timeout(300) })
    await expect(impatient).rejects.toThrow(/timeout/)
  } finally {
    await resume('registry')
  }
  expect((await fetch(`${registryUrl()}/subjects`)).status).toBe(200)
})

test('a killed S3 keeps objects, their metadata, and the refusal to write one twice', async () => {
  const { endpoint, bucket, region, credentials } = s3Bucket()
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  const Key = `${uniqueName('control')}/object`
  const put = new PutObjectCommand({ Bucket: bucket, Key, Body: 'once', Metadata: { plan: '0-9' }, IfNoneMatch: '*' })
  await client.send(put)
  await kill('s3')
  await start('s3')
  const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
  expect(await object.Body?.transformToString()).toBe('once')
  expect(object.Metadata).toEqual({ plan: '0-9' })
  await expect(client.send(put)).rejects.toMatchObject({ name: 'PreconditionFailed' })
  client.destroy()
})

test('a restarted service has its old address', async () => {
  const { endpoint, region, credentials } = s3Bucket()
  await restart('s3')
  expect(s3Bucket().endpoint).toBe(endpoint)
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: uniqueName('control') }))
  client.destroy()
})
