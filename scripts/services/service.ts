/** What one service must be able to say about itself; everything else (processes, ports, state) is common to all. */
export type ServiceName = 'kafka' | 'registry' | 's3'

/** Where one service lives: the shared downloads, its own directory in this checkout, and the ports chosen for it. */
export type Place = {
  /** Downloads, shared by every checkout on this machine. */
  readonly cache: string
  /** Data, configuration and log of this service in this checkout. */
  readonly directory: string
  readonly ports: Readonly<Record<string, number>>
}

export type Command = {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export type Service = {
  readonly name: ServiceName
  /** Names of the ports it needs; numbers are chosen once and kept. */
  readonly ports: readonly string[]
  /** Downloads what is missing. Safe to repeat, and to interrupt. */
  install(cache: string): Promise<void>
  /** Writes configuration and, the first time, whatever the data directory needs. Safe to repeat. */
  prepare(place: Place): Promise<void>
  command(place: Place): Promise<Command>
  /** Resolves when the service really answers; throws as long as it does not. */
  probe(place: Place): Promise<void>
  /** What clients expect to find there, put in place after every start. Must leave alone what is already so. */
  settle?(place: Place): Promise<void>
  /** What a client needs to know, as environment variables. */
  environment(place: Place): Record<string, string>
}
