import { MillraceError, RejectedRecord } from '../../errors.ts'
import type { Processor, ProcessorContext, ProcessorFactory } from '../../topology/processor.ts'
import { type Call, lineUp } from './line-up.ts'

/** What `mapAsync` gives to its function beside the record. */
export interface AsyncCall {
  /** Aborts when the time is up, and when the task is dropped. */
  readonly signal: AbortSignal
  /** 1 for the first attempt. */
  readonly attempt: number
}

export interface AsyncCalls {
  readonly fn: (value: unknown, key: unknown, call: AsyncCall) => unknown
  readonly concurrency: number
  readonly ordered: 'key' | 'all' | false
  readonly timeout: number
  readonly retries: number
  /** Wait before the attempt that follows this one, ms. */
  delayOf(attempt: number): number
}

/** Makes calls for records and hands their results on; see `OutsideWork` for how the task waits for them. */
export const asyncCalls =
  (of: AsyncCalls): ProcessorFactory =>
  (context) =>
    calls(context, of)

function calls(context: ProcessorContext, of: AsyncCalls): Processor {
  const { fn, concurrency, ordered, timeout, retries } = of
  const next = context.forward()
  const line = lineUp()
  let waiting: Call[] = []
  let cameBack: Call[] = []
  let underWay = 0
  let closed = false
  const attempts = new Set<Attempt>()
  let listeners: (() => void)[] = []

  const lineOf = (key: unknown): unknown => {
    if (ordered === 'all') return ALL
    if (ordered === false) return Symbol('its own')
    return typeof key === 'object' && key !== null ? JSON.stringify(key) : key
  }
  const newCall = (key: unknown, value: unknown, timestamp: number, of: unknown): Call => {
    const call: Call = { record: context.keep(), key, value, timestamp, line: of, attempt: 1, outcome: undefined }
    line.add(call)
    return call
  }

  // -------------------------------------------------------------------------------------------- making calls
  const begin = (call: Call) => {
    underWay++
    const attempt = new Attempt(call.attempt)
    try {
      const answer = fn(call.value, call.key, attempt)
      if (isPromise(answer)) watch(call, attempt, answer)
      else end(call, { result: answer })
    } catch (error) {
      failed(call, error)
    }
  }
  const watch = (call: Call, attempt: Attempt, answer: PromiseLike<unknown>) => {
    attempts.add(attempt)
    const answered = new AbortController()
    let over = false
    const settle = (then: () => void) => {
      if (over) return
      over = true
      answered.abort()
      attempts.delete(attempt)
      if (!closed) then()
    }
    answer.then(
      (result) => settle(() => end(call, { result })),
      (error) => settle(() => failed(call, error)),
    )
    void context.sleep(timeout, answered.signal).then(() =>
      settle(() => {
        const error = new MillraceError('OPERATOR_FAILED', `no answer within ${timeout} ms`, { node: context.node })
        attempt.abort(error)
        failed(call, error)
      }),
    )
  }
  const failed = (call: Call, error: unknown) => {
    if (error instanceof RejectedRecord || call.attempt > retries) return end(call, { error })
    const delay = of.delayOf(call.attempt++)
    void context.sleep(delay, stop.signal).then(() => {
      underWay--
      if (!closed) begin(call)
    })
  }
  const end = (call: Call, outcome: NonNullable<Call['outcome']>) => {
    underWay--
    call.outcome = outcome
    cameBack.push(call)
    const told = listeners
    listeners = []
    for (const listener of told) listener()
    context.wake()
  }
  const stop = new AbortController()

  // -------------------------------------------------------------------------------------------- handing on
  let leaving: Call
  const forward = () => next(leaving.key, (leaving.outcome as { result: unknown }).result, leaving.timestamp)
  const onLeave = (call: Call) => {
    try {
      if ('error' in call.outcome!) throw call.outcome.error
      leaving = call
      context.as(call.record, forward)
    } catch (error) {
      context.fail(call.record, error)
    }
  }

  return {
    inputs: [
      (key, value, timestamp) => {
        const of = lineOf(key)
        if (underWay >= concurrency) {
          waiting.push(newCall(key, value, timestamp, of))
          return
        }
        const attempt = new Attempt(1)
        let answer: unknown
        try {
          answer = fn(value, key, attempt)
        } catch (error) {
          if (error instanceof RejectedRecord || retries === 0) throw error
          underWay++
          return failed(newCall(key, value, timestamp, of), error)
        }
        if (isPromise(answer)) {
          underWay++
          watch(newCall(key, value, timestamp, of), attempt, answer)
        } else if (line.isFree(of)) next(key, answer, timestamp)
        else {
          underWay++
          end(newCall(key, value, timestamp, of), { result: answer })
        }
      },
    ],
    outside: {
      get room() {
        return concurrency - line.size
      },
      get inFlight() {
        return line.size
      },
      settle() {
        while (cameBack.length > 0) {
          const back = cameBack
          cameBack = []
          for (const call of back) line.leave(call, onLeave)
          while (waiting.length > 0 && underWay < concurrency) begin(waiting.shift()!)
        }
      },
      next: () =>
        cameBack.length > 0 || closed ? Promise.resolve() : new Promise((resolve) => listeners.push(resolve)),
      close() {
        closed = true
        waiting = []
        stop.abort()
        const reason = new MillraceError('CLOSED', 'the task is dropped', { node: context.node })
        for (const attempt of attempts) attempt.abort(reason)
        for (const listener of listeners) listener()
      },
    },
  }
}

const ALL = Symbol('all')

/** One attempt; what aborts it is made only when somebody asks for it. */
class Attempt implements AsyncCall {
  readonly attempt: number
  private controller: AbortController | undefined
  private reason: Error | undefined
  constructor(attempt: number) {
    this.attempt = attempt
  }
  get signal(): AbortSignal {
    this.controller ??= new AbortController()
    if (this.reason) this.controller.abort(this.reason)
    return this.controller.signal
  }
  abort(reason: Error): void {
    this.reason = reason
    this.controller?.abort(reason)
  }
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && typeof (answer as PromiseLike<unknown>).then === 'function'
}
