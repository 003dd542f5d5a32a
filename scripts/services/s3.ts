/** The Versity gateway: the S3 interface over a directory, in which every object is a plain file. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CreateBucketCommand, HeadBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import type { Place, Service } from './service.ts'
import { installOnce, runTool } from './tools.ts'

const version = 'v1.8.0'
const accessKey = 'millrace'
const secretKey = 'millrace-secret'
const region = 'us-east-1'
const bucket = 'millrace'

const program = (cache: string): string => join(cache, `versitygw-${version}`)
const directories = (place: Place) => ({
  objects: join(place.directory, 'objects'),
  versions: join(place.directory, 'versions'),
  metadata: join(place.directory, 'metadata'),
})

export const s3: Service = {
  name: 's3',
  ports: ['http'],

  install: (cache) =>
    installOnce(
      program(cache),
      `Versity S3 gateway ${version} (Go, takes about two minutes to build)`,
      async (scratch) => {
        await runTool('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${version}`], {
          env: { GOBIN: scratch, GOFLAGS: '-buildvcs=false' },
        })
      },
    ),

  async prepare(place) {
    for (const directory of Object.values(directories(place))) mkdirSync(directory, { recursive: true })
  },

  command: async (place) => {
    const { objects, versions, metadata } = directories(place)
    // Metadata in files of its own, since not every file system has the extended attributes that are the default.
    const backend = ['posix', '--versioning-dir', versions, '--sidecar', metadata, objects]
    return {
      file: join(program(place.cache), 'versitygw'),
      args: ['--port', `127.0.0.1:${place.ports.http}`, '--region', region, '--quiet', ...backend],
      env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    }
  },

  probe: (place) => withClient(place, (client) => client.send(new ListBucketsCommand({}))),

  settle: (place) =>
    withClient(place, async (client) => {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }))
      } catch {
        await client.send(new CreateBucketCommand({ Bucket: bucket }))
      }
    }),

  environment: (place) => ({
    S3_ENDPOINT: `http://127.0.0.1:${place.ports.http}`,
    S3_BUCKET: bucket,
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
    AWS_REGION: region,
  }),
}

async function withClient(place: Place, work: (client: S3Client) => Promise<unknown>): Promise<void> {
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${place.ports.http}`,
    region,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    forcePathStyle: true,
    maxAttempts: 1,
  })
  try {
    await work(client)
  } finally {
    client.destroy()
  }
}
