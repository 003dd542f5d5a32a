/** Registries may answer at once or with a promise; what follows is then done at once, or later. */
export type Maybe<T> = T | Promise<T>

/** Not called `then`: a module that exports a function of that name is taken for a promise by `import()`. */
export function andThen<T, U>(value: Maybe<T>, next: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
