import type { Agent } from 'node:http'
import { createRequire } from 'node:module'
import { MillraceError } from '../../../errors.ts'
import type { AvroSchema } from '../../serde.ts'

export interface SchemaRegistryOptions {
  /** With the base path, if there is one: `http://localhost:8081`, `http://apicurio/apis/ccompat/v7`. */
  readonly url: string
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string }
  readonly headers?: Readonly<Record<string, string>>
  /** An `https.Agent` with a certificate authority or client certificate of your own. */
  readonly agent?: Agent
  /** Of one request. Default 5,000 ms. */
  readonly timeoutMs?: number
  /** How often a read is tried again before the registry counts as unavailable. Default 2. */
  readonly retries?: number
}

/** What the registry's answers may hold. */
export interface Answer {
  readonly id?: number
  readonly schema?: string
  /** Absent for Avro. */
  readonly schemaType?: string
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
  readonly is_compatible?: boolean
}

/** The requests of the registry's REST interface that are needed here. */
export interface Rest {
  schema(id: number): Promise<Answer>
  version(subject: string, version: number | 'latest'): Promise<Answer>
  find(subject: string, schema: AvroSchema): Promise<Answer>
  register(subject: string, schema: AvroSchema): Promise<Answer>
  compatible(subject: string, schema: AvroSchema): Promise<Answer>
}

/*
 * The requests go through the REST client within @kafkajs/confluent-schema-registry 4.1 (dist/api): paths, credentials,
 * agents and retries are its business. The class around it is not used, since it parses what it fetches (logical types
 * and other attributes are lost), asks again for every unknown id, and its `register` rewrites the compatibility level
 * of new subjects and refuses subjects of any other level than it was told.
 */
export function restClient(options: SchemaRegistryOptions): Rest {
  const { host, auth } = address(options)
  const { headers = {}, timeoutMs: timeout = 5_000, retries = 2 } = options
  const token = options.auth && 'token' in options.auth ? { authorization: `Bearer ${options.auth.token}` } : {}

  const withOptions = () => ({
    request: async <R extends { enhance(extras: object): R }>(request: R) =>
      request.enhance({ timeout, headers: { ...headers, ...token } }),
  })
  const create = () =>
    loadClient()({
      host,
      clientId: 'millrace',
      retry: { retries },
      ...(auth && { auth }),
      ...(options.agent && { agent: options.agent }),
      middlewares: [withOptions as never],
    })
  let client: Client | undefined

  async function send(request: (client: Client) => Promise<{ data(): unknown }>): Promise<Answer> {
    client ??= create()
    let data: unknown
    try {
      data = (await request(client)).data()
    } catch (error) {
      throw translated(error, host)
    }
    if (typeof data === 'object' && data !== null) return data
    throw noRegistry(host, 'the answer is not JSON')
  }

  const body = (schema: AvroSchema) => ({ schema: JSON.stringify(schema) })
  return {
    schema: (id) => send(({ Schema }) => Schema.find({ id })),
    version: (subject, version) => send(({ Subject }) => Subject.version({ subject, version })),
    find: (subject, schema) => send(({ Subject }) => Subject.registered({ subject, body: body(schema) })),
    register: (subject, schema) => send(({ Subject }) => Subject.register({ subject, body: body(schema) })),
    compatible: (subject, schema) => send(({ Subject }) => Subject.compatible({ subject, body: body(schema) })),
  }
}

type ClientModule = typeof import('@kafkajs/confluent-schema-registry/dist/api/index.js')
type Client = ReturnType<ClientModule['default']>

/** When it is first needed: whoever has no registry need not wait for it. It is CommonJS. */
function loadClient(): ClientModule['default'] {
  const require = createRequire(import.meta.url)
  return (require('@kafkajs/confluent-schema-registry/dist/api/index.js') as ClientModule).default
}

/** Credentials that are part of the URL are taken out of it, so that no message shows them. */
function address({ url, auth }: SchemaRegistryOptions) {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new MillraceError('INVALID_OPTION', 'schemaRegistry: url must be a URL such as http://localhost:8081')
  }
  const { username, password } = parsed
  parsed.username = parsed.password = ''
  const host = parsed.href.replace(/\/+$/, '')
  if (auth && 'username' in auth) return { host, auth }
  if (username === '') return { host }
  return { host, auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }
}

/**
 * The client's errors carry the HTTP status and the registry's message, but a connection that fails looks like a 400:
 * it is told apart by the text, since a registry's own answers are JSON and show up without "Error, status".
 */
function translated(error: unknown, host: string): MillraceError {
  const { status, message = String(error) } = error as { status?: number; message?: string }
  const reason = message.replace(/^millrace - /, '')
  const notJson = reason.startsWith('Error, status')
  const because = reason.replace(/^Error, status 400: /, '').slice(0, 300)
  if (status === undefined || status >= 500 || status === 408 || status === 429 || (status === 400 && notJson)) {
    return new MillraceError('UNAVAILABLE', `the schema registry ${host} cannot be reached: ${because}`, {
      retriable: true,
      hint: 'is it running, and is this its address? a job that runs asks again until it answers',
    })
  }
  if (status === 401) {
    return new MillraceError('AUTHENTICATION_FAILED', `the schema registry ${host} does not accept the credentials`, {
      hint: 'give auth: { username, password } or { token }',
    })
  }
  if (status === 403) return new MillraceError('NOT_AUTHORIZED', `the schema registry ${host} refuses: ${because}`)
  if (notJson) return noRegistry(host, `status ${status}`)
  if (status === 404) return new MillraceError('UNKNOWN_SCHEMA', `the schema registry ${host}: ${because}`)
  if (status === 409) return new MillraceError('INCOMPATIBLE_SCHEMA', `the schema registry ${host}: ${because}`)
  if (status === 422) return new MillraceError('INVALID_SCHEMA', `the schema registry ${host}: ${because}`)
  return new MillraceError('INTERNAL', `the schema registry ${host}: status ${status}, ${because}`)
}

function noRegistry(host: string, why: string): MillraceError {
  return new MillraceError('INVALID_OPTION', `what answers at ${host} is no schema registry: ${why}`, {
    hint: 'check the URL and its base path: /apis/ccompat/v7 on Apicurio, none on Confluent',
  })
}
