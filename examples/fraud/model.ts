export interface Payment {
  readonly payment_id: string
  readonly user_id: string
  readonly card_id: string
  readonly amount: number
  readonly paid_at: number
}

export interface Login {
  readonly login_id: string
  readonly user_id: string
  readonly country: string
}

export interface Card {
  readonly card_id: string
  readonly country: string
}

/** A payment with a card of one country soon after a login from another. */
export interface Suspicion {
  readonly payment_id: string
  readonly paid_at: number
  readonly amount: number
  readonly card_country: string
  readonly login_id: string
  readonly login_country: string
}

export interface FraudAlert {
  readonly user_id: string
  readonly payments: number
  readonly amount: number
  readonly evidence: readonly Suspicion[]
}

/** One payment may come with several logins, and counts once. */
export function alertOf(user_id: string, evidence: readonly Suspicion[]): FraudAlert {
  const amounts = new Map(evidence.map((of) => [of.payment_id, of.amount]))
  const cents = [...amounts.values()].reduce((sum, amount) => sum + Math.round(amount * 100), 0)
  // By time, not by arrival, so that an alert does not depend on who was faster.
  const ordered = evidence.toSorted((a, b) => a.paid_at - b.paid_at || (a.login_id < b.login_id ? -1 : 1))
  return { user_id, payments: amounts.size, amount: cents / 100, evidence: ordered }
}
