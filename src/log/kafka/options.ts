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
  /**
   * Who spreads the tasks of an application over its instances.
   *
   * - 'classic' (default): the instances themselves, by Kafka's classic group protocol. Every broker since 2.5; the
   *   topology may change from one rolling deploy to the next.
   * - 'streams': the broker, by the streams rebalance protocol (KIP-1071; `group.protocol=streams` of Kafka Streams). Kafka
   *   4.2 and newer, 4.4 with an `instanceId`; a topology that has changed needs all instances stopped. `UNSUPPORTED_BROKER`
   *   where the broker does not have it: nothing falls back. The session time-out is written into the group's configuration.
   *
   * The instances of one application must agree: a group has one protocol at a time, and changes it while it is empty.
   */
  readonly protocol?: 'classic' | 'streams'
  /** Where this client is, such as a zone; told to brokers that spread the tasks (`protocol: 'streams'`). */
  readonly rack?: string
  /** As `client.tag.*` of Kafka Streams, for a broker that spreads standbys by them (`protocol: 'streams'`). */
  readonly clientTags?: Readonly<Record<string, string>>
  /** Receives what the connections have to say. Default: nothing is logged; what matters is thrown. */
  log?(entry: KafkaLogEntry): void
}
