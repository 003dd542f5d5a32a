import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MillraceError } from '../../../../src/errors.ts'
import { memoryRegistry } from '../../../../src/serde/avro/registry/memory.ts'
import type { AvroSchema } from '../../../../src/serde/serde.ts'

/** What a request is answered with instead of the true answer; `undefined`: the true answer. */
export type Override = (
  request: Asked,
) => { status: number; body?: unknown; headers?: Record<string, string> } | 'hang' | 'reset' | undefined

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: { readonly schema?: string }
}

export interface FakeRegistry {
  readonly url: string
  readonly asked: Asked[]
  override: Override
  close(): Promise<void>
}

/** The REST interface of Confluent's registry, with its status codes, over the registry in memory. */
export async function fakeRegistry(): Promise<FakeRegistry> {
  const registry = memoryRegistry()
  const server: Server = createServer((request, response) => void handle(request, response))
  const fake = { asked: [] as Asked[], override: (() => undefined) as Override }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    const { method = '', url = '', headers } = request
    const asked = { method, path: decodeURIComponent(url), headers, body: text ? JSON.parse(text) : {} }
    fake.asked.push(asked)
    const instead = fake.override(asked)
    if (instead === 'hang') return
    if (instead === 'reset') return void request.socket.destroy()
    const { status, body, ...more } = instead ?? (await trueAnswer(asked))
    response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json', ...more.headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  async function trueAnswer({
    method,
    path,
    body,
  }: Asked): Promise<{ status: number; body: unknown; headers?: Record<string, string> }> {
    try {
      return { status: 200, body: await route(method, path, body) }
    } catch (error) {
      const code = error instanceof MillraceError ? error.code : 'INTERNAL'
      const status = { UNKNOWN_SCHEMA: 404, INCOMPATIBLE_SCHEMA: 409, INVALID_SCHEMA: 422 }[code as string] ?? 500
      return { status, body: { error_code: status * 100 + 1, message: String(error) } }
    }
  }

  async function route(method: string, path: string, body: { schema?: string }): Promise<unknown> {
    const schema = JSON.parse(body.schema ?? 'null') as AvroSchema
    const text = (it: AvroSchema) => JSON.stringify(it)
    const [, byId] = /^\/base\/schemas\/ids\/(\d+)$/.exec(path) ?? []
    if (byId) return { schema: text(await registry.schema(Number(byId))) }
    const [, check] = /^\/base\/compatibility\/subjects\/(.*)\/versions\/latest$/.exec(path) ?? []
    if (check) {
      await registry.latest(check)
      return { is_compatible: await registry.compatible(check, schema) }
    }
    const [, subject, versions, version] = /^\/base\/subjects\/(.*?)(\/versions)?(?:\/(\w+))?$/.exec(path) ?? []
    if (version) {
      const latest = await registry.latest(subject)
      return { subject, version: 1, id: latest.id, schema: text(latest.schema) }
    }
    if (method === 'POST' && versions) return { id: await registry.register(subject, schema) }
    const id = await registry.idOf(subject, schema)
    if (id === undefined) throw new MillraceError('UNKNOWN_SCHEMA', 'Schema not found')
    return { subject, version: 1, id, schema: body.schema }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(fake, {
    url: `http://127.0.0.1:${port}/base`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}
