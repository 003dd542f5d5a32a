type Operator<A, B> = (input: A) => B

/**
 * What can be piped through operators, RxJS fashion: types flow from left to right, so that the functions given to
 * operators need no annotations.
 */
export abstract class Pipeable<Self> {
  pipe<A>(a: Operator<Self, A>): A
  pipe<A, B>(a: Operator<Self, A>, b: Operator<A, B>): B
  pipe<A, B, C>(a: Operator<Self, A>, b: Operator<A, B>, c: Operator<B, C>): C
  pipe<A, B, C, D>(a: Operator<Self, A>, b: Operator<A, B>, c: Operator<B, C>, d: Operator<C, D>): D
  pipe<A, B, C, D, E>(
    a: Operator<Self, A>,
    b: Operator<A, B>,
    c: Operator<B, C>,
    d: Operator<C, D>,
    e: Operator<D, E>,
  ): E
  pipe<A, B, C, D, E, F>(
    a: Operator<Self, A>,
    b: Operator<A, B>,
    c: Operator<B, C>,
    d: Operator<C, D>,
    e: Operator<D, E>,
    f: Operator<E, F>,
  ): F
  pipe<A, B, C, D, E, F, G>(
    a: Operator<Self, A>,
    b: Operator<A, B>,
    c: Operator<B, C>,
    d: Operator<C, D>,
    e: Operator<D, E>,
    f: Operator<E, F>,
    g: Operator<F, G>,
  ): G
  pipe<A, B, C, D, E, F, G, H>(
    a: Operator<Self, A>,
    b: Operator<A, B>,
    c: Operator<B, C>,
    d: Operator<C, D>,
    e: Operator<D, E>,
    f: Operator<E, F>,
    g: Operator<F, G>,
    h: Operator<G, H>,
  ): H
  pipe(...operators: Operator<never, unknown>[]): unknown {
    return operators.reduce<unknown>((input, operator) => operator(input as never), this)
  }
}
