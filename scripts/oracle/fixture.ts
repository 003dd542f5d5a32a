/** One case of a conformance fixture, as Kafka Streams' own driver produced it. */
export interface Fixture {
  readonly case: string
  readonly operator: Operator
  readonly input: readonly FixtureInput[]
  readonly output: readonly FixtureOutput[]
  readonly finalState?: readonly FixtureState[]
  readonly dropped: number
  readonly droppedAt?: readonly (readonly [input: number, count: number])[]
}

/** Kind and parameters; times in ms. */
// biome-ignore lint/suspicious/noExplicitAny: every family has parameters of its own
export type Operator = { readonly kind: string } & Readonly<Record<string, any>>

export type FixtureValue = string | number | null | readonly FixtureValue[]

export interface FixtureInput {
  readonly topic: string
  readonly key: string | null
  readonly value: string | number | null
  readonly timestamp: number
}

export interface FixtureWindow {
  readonly start: number
  /** null: unlimited. */
  readonly end: number | null
}

export interface FixtureOutput {
  readonly afterInput: number
  readonly key: string | null
  readonly window?: FixtureWindow
  readonly value: FixtureValue
  readonly timestamp: number
  readonly branch?: string
  /** May be left out: a tombstone for nothing, or the same result twice. */
  readonly redundant?: boolean
  readonly duplicate?: boolean
}

export interface FixtureState {
  readonly key: string
  readonly window?: FixtureWindow
  readonly value: FixtureValue
  readonly timestamp?: number
}
