import { MillraceError } from '../../errors.ts'
import type { SaslOptions } from './options.ts'

/** One message to the broker and its answer; both begin with their length. What kafkajs gives to an authenticator. */
export interface SaslExchange {
  saslAuthenticate(exchange: {
    request: { encode(): Promise<Buffer> }
    response: { decode(raw: Buffer): Promise<Buffer>; parse(decoded: Buffer): Promise<Buffer> }
  }): Promise<Buffer>
}

/**
 * Logs in with a token (RFC 7628, KIP-255). In place of the one of kafkajs, which takes a refusal for a success: the
 * broker does not answer with an error but with a challenge that tells it, and the connection then breaks for no reason
 * that anybody could see.
 */
export function oauthBearer(
  { oauthBearerProvider }: Extract<SaslOptions, { mechanism: 'oauthbearer' }>,
  broker: string,
) {
  return ({ saslAuthenticate }: SaslExchange) => ({
    async authenticate(): Promise<void> {
      const { value, extensions = {} } = await token(oauthBearerProvider)
      const pairs = Object.entries({ auth: `Bearer ${value}`, ...extensions })
      const message = Buffer.from(`n,,\x01${pairs.map(([name, of]) => `${name}=${of}\x01`).join('')}\x01`)
      const length = Buffer.alloc(4)
      length.writeInt32BE(message.length)
      const challenge = await saslAuthenticate({
        request: { encode: async () => Buffer.concat([length, message]) },
        response: { decode: async (raw) => raw.subarray(4), parse: async (decoded) => decoded },
      })
      if (challenge.length > 0)
        throw new MillraceError(
          'AUTHENTICATION_FAILED',
          `Kafka at ${broker} refused the token: ${statusOf(challenge)}`,
          {
            hint: 'see that oauthBearerProvider gives a token that is valid now, for this cluster',
          },
        )
    },
  })
}

/** A token that cannot be had now may be had later; the provider's own words are the cause. */
async function token(provide: Extract<SaslOptions, { mechanism: 'oauthbearer' }>['oauthBearerProvider']) {
  try {
    return await provide()
  } catch (cause) {
    const message = 'oauthBearerProvider could not get a token to log in to Kafka'
    throw new MillraceError('UNAVAILABLE', message, { cause, retriable: true })
  }
}

/** The challenge is `{"status":"invalid_token"}`. No more than the status is repeated: who knows what a broker puts in. */
function statusOf(challenge: Buffer): string {
  return /"status"\s*:\s*"(\w{1,40})"/.exec(challenge.toString())?.[1] ?? 'no reason given'
}
