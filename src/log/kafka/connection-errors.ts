import { MillraceError } from '../../errors.ts'
import type { KafkaOptions } from './options.ts'

/** What is known when a connection fails. */
export interface ConnectionFailure {
  /** 'host:port' */
  readonly broker: string
  /** What was being done: 'connecting', the name of a request. */
  readonly during: string
  /** False until the broker has answered a request that needs the right to be there. */
  readonly proven: boolean
}

/** An error of kafkajs or of Node's sockets as the library's own. Nothing of the credentials gets into it. */
export function connectionError(
  thrown: unknown,
  { broker, during, proven }: ConnectionFailure,
  { ssl, sasl }: Pick<KafkaOptions, 'ssl' | 'sasl'>,
): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  const { name, message, code, type } = thrown as { name?: string; message?: string; code?: unknown; type?: string }
  const reason = (message ?? String(thrown)).replace(/^Connection error: /, '')

  if (name === 'KafkaJSSASLAuthenticationError' && !lostMeanwhile.test(reason)) {
    const unsupported = reason.includes('not supported by the server')
    return new MillraceError('AUTHENTICATION_FAILED', `Kafka at ${broker} refused to log in: ${reason}`, {
      hint: unsupported
        ? `use a mechanism that the broker has enabled (sasl.enabled.mechanisms) instead of ${sasl?.mechanism}`
        : 'check sasl.mechanism and the credentials; a SCRAM user must have been created for that mechanism',
    })
  }
  if (type === 'ILLEGAL_SASL_STATE' || type === 'UNSUPPORTED_SASL_MECHANISM')
    return new MillraceError('AUTHENTICATION_FAILED', `Kafka at ${broker} refused to log in: ${type}`, {
      hint:
        type === 'ILLEGAL_SASL_STATE'
          ? 'this listener does not ask for SASL: leave the option `sasl` out, or use another port'
          : `use a mechanism that the broker has enabled instead of ${sasl?.mechanism}`,
    })
  if (code === 'ERR_TLS_EXPECTED')
    return new MillraceError('UNAVAILABLE', `Kafka at ${broker} speaks TLS on this port`, {
      hint: "set the option `ssl` (true, or { ca } for a certificate authority of one's own), or use the plain port",
    })
  if (code === 'ERR_NOT_KAFKA')
    return new MillraceError('UNAVAILABLE', `what listens at ${broker} is not Kafka: ${reason}`, {
      hint: 'check host and port in `brokers`',
    })
  if (typeof code === 'string' && isCertificateProblem(code))
    return new MillraceError(
      'AUTHENTICATION_FAILED',
      `the certificate of Kafka at ${broker} was not accepted: ${code}`,
      {
        hint: certificateHint(code),
        cause: thrown,
      },
    )
  if (ssl && typeof code === 'string' && /^(EPROTO|ERR_SSL_)/.test(code))
    return new MillraceError('UNAVAILABLE', `TLS with Kafka at ${broker} failed: ${reason}`, {
      hint: 'is it a TLS port? if it is plain, leave the option `ssl` out; if it demands a client certificate, set { cert, key }',
      cause: thrown,
    })
  return new MillraceError('UNAVAILABLE', `Kafka at ${broker} cannot be reached (${during}): ${reason}`, {
    hint: unreachableHint(broker, code, name, proven, Boolean(ssl), Boolean(sasl)),
    retriable: true,
    cause: thrown,
  })
}

/** kafkajs reports a connection that breaks while it logs in as a failed login, too. */
const lostMeanwhile = /Closed connection|Connection error|Not connected|timed out|did not accept|was closed/

const certificateProblems = [
  'SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
]

const isCertificateProblem = (code: string) => certificateProblems.some((part) => code.includes(part))

function certificateHint(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'use a host name in `brokers` that the certificate names'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return "renew the broker's certificate"
  return "give the certificate authority that signed it: ssl: { ca: readFileSync('ca.pem') }"
}

function unreachableHint(
  broker: string,
  code: unknown,
  name: string | undefined,
  proven: boolean,
  ssl: boolean,
  sasl: boolean,
): string | undefined {
  if (code === 'ECONNREFUSED')
    return `is Kafka running at ${broker}? to start one on this machine: npm run services -- up kafka`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known here: check `brokers`'
  if (proven || name === 'KafkaJSRequestTimeoutError') return undefined
  if (ssl && sasl) return 'if it goes on: is it a TLS port? does it demand a client certificate?'
  if (ssl) return 'if it goes on: is it a TLS port? does it demand SASL, or a client certificate?'
  return sasl ? 'if it goes on: does the port demand TLS?' : 'if it goes on: does the port demand TLS or SASL?'
}
