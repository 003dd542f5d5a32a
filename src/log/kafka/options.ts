import type { ConnectionOptions } from 'node:tls'

/** Credentials for a broker that demands them. They appear in no error and no log entry. */
export type SaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** Called for every connection and again before a session ends; it must cache and renew the token itself. */
      oauthBearerProvider(): Promise<{ readonly value: string; readonly extensions?: Readonly<Record<string, string>> }>
    }

/** Something that went wrong on a connection and was or will be dealt with by a retry. */
export interface KafkaLogEntry {
  readonly level: 'warn' | 'error'
  readonly message: string
  /** 'host:port' of the broker, where one is concerned. */
  readonly broker?: string
}

/** Options of `kafka(…)`. */
export interface KafkaOptions {
  /** 'host:port' of some brokers; the others are found through them. */
  readonly brokers: readonly string[]
  /** The name under which the brokers log and meter this client. Default 'millrace'. */
  readonly clientId?: string
  /** TLS: true for the system's certificate authorities, or options of `tls.connect` such as `{ ca, cert, key }`. */
  readonly ssl?: boolean | ConnectionOptions
  readonly sasl?: SaslOptions
  /** How long to wait for a connection, TLS and SASL included. Default 10,000 ms. */
  readonly connectionTimeoutMs?: number
  /** How long to wait for an answer before the connection is given up. Default 30,000 ms. */
  readonly requestTimeoutMs?: number
  /**
   * How long a written batch, or a step of a transaction, is tried again before it fails with `UNAVAILABLE`. Default
   * 60,000 ms.
   */
  readonly deliveryTimeoutMs?: number
  /** Receives what the connections have to say. Default: nothing is logged; what matters is thrown. */
  log?(entry: KafkaLogEntry): void
}
