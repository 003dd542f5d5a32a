import module from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { MillraceError, toError } from '../../errors.ts'
import type { RunState } from '../status.ts'
import { type Question, type Questions, received, type ThreadMessage, type ThreadStart } from './messages.ts'

/** One worker thread, seen from the main thread. */
export interface WorkerThread {
  /** Resolves when the job has begun to join its group, to the application's name; rejects if it fails before that. */
  readonly started: Promise<string>
  readonly state: RunState
  /** Resolves when the thread has ended: to undefined in good order, else to what it failed of. */
  readonly ended: Promise<Error | undefined>
  /** Rejects with `CLOSED` when the thread ends before it answers. */
  ask<Ask extends keyof Questions>(ask: Ask, of: Questions[Ask]['of']): Promise<Questions[Ask]['answer']>
  /** Ends the thread at once. */
  terminate(): Promise<void>
}

interface Waiting {
  resolve(answer: unknown): void
  reject(error: Error): void
}

export interface Watching {
  /** `state` has changed. */
  onState(): void
  /** It could join its group: it does when this resolves. */
  onReady(): Promise<void>
}

/** How much each of V8's generations may take in a thread. */
export interface Generations {
  readonly youngGenerationMb: number
  readonly oldGenerationMb: number | undefined
}

export function workerThread(
  start: ThreadStart,
  { youngGenerationMb, oldGenerationMb }: Generations,
  { onState, onReady }: Watching,
): WorkerThread {
  // The sources run as they are; in the package all JavaScript lies in one folder (rolldown.config.ts).
  const entry = new URL(import.meta.url.endsWith('.ts') ? './entry.ts' : './thread.js', import.meta.url)
  const worker = new Worker(entry, {
    workerData: start,
    name: `millrace-${start.index}`,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb, maxOldGenerationSizeMb: oldGenerationMb },
    env: withCompileCache(),
  })
  const waiting = new Map<number, Waiting>()
  const hasStarted = Promise.withResolvers<string>()
  const hasEnded = Promise.withResolvers<Error | undefined>()
  hasStarted.promise.catch(() => {})
  let state: RunState = { phase: 'starting', tasks: [], standbys: [], waitingFor: new Map() }
  let failure: Error | undefined
  let asked = 0
  let isInOrder = false
  let isOver = false

  worker.on('message', (message: ThreadMessage) => {
    switch (message.type) {
      case 'started':
        return hasStarted.resolve(message.application)
      case 'ready':
        return onReady().then(() => ask('join', undefined).catch(() => {}))
      case 'state':
        state = message.state
        return onState()
      case 'answer':
        waiting.get(message.id)?.resolve(message.answer)
        return waiting.delete(message.id)
      case 'refused':
        waiting.get(message.id)?.reject(received(message.error))
        return waiting.delete(message.id)
      case 'failed':
        failure = received(message.error)
        break
      case 'ended':
        isInOrder = true
    }
  })
  // Not caught by anybody in the thread, or out of memory.
  worker.on('error', (error) => {
    failure ??= isOutOfMemory(error) ? outOfMemory(start.index, oldGenerationMb, error) : toError(error)
  })
  worker.on('exit', (code) => {
    isOver = true
    if (!isInOrder) failure ??= new MillraceError('INTERNAL', `thread ${start.index} ended with exit code ${code}`)
    const closed = failure ?? new MillraceError('CLOSED', `thread ${start.index} has ended`)
    for (const { reject } of waiting.values()) reject(closed)
    waiting.clear()
    hasStarted.reject(closed)
    state = { ...state, phase: failure ? 'failed' : 'stopped', tasks: [], ...(failure && { error: failure }) }
    hasEnded.resolve(failure)
    onState()
  })

  function ask<Ask extends keyof Questions>(ask: Ask, of: Questions[Ask]['of']): Promise<Questions[Ask]['answer']> {
    return new Promise((resolve, reject) => {
      if (isOver) return reject(failure ?? new MillraceError('CLOSED', `thread ${start.index} has ended`))
      const id = asked++
      waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject })
      worker.postMessage({ id, ask, of } satisfies Question)
    })
  }

  return {
    started: hasStarted.promise,
    get state() {
      return state
    },
    ended: hasEnded.promise,
    ask,
    async terminate() {
      isInOrder = true
      await worker.terminate()
    },
  }
}

const isOutOfMemory = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'

function outOfMemory(index: number, oldGenerationMb: number | undefined, cause: unknown): MillraceError {
  return new MillraceError('OUT_OF_MEMORY', `thread ${index} needs more heap than it may have`, {
    cause,
    hint: `raise oldGenerationMb of runThreads${oldGenerationMb === undefined ? '' : `, which is ${oldGenerationMb}`}, keep the state on disk (the option state), or run more threads`,
  })
}

/** A thread has a compile cache of its own: where the program has turned one on, the same directory. */
function withCompileCache(): NodeJS.ProcessEnv {
  const directory = module.getCompileCacheDir()
  return directory === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(directory) }
}
