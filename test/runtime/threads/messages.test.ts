import { expect, it } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { received, sendable } from '../../../src/runtime/threads/messages.ts'

it('carries an error across threads with its code, context, cause and text', () => {
  const cause = new TypeError('not a number')
  const error = new MillraceError('OPERATOR_FAILED', 'an operator threw', {
    topic: 'words',
    partition: 1,
    offset: 7,
    key: { of: () => {} },
    hint: 'mend it',
    cause,
    retriable: true,
  })
  const there = received(structuredClone(sendable(error)))
  expect(there).toBeInstanceOf(MillraceError)
  expect(there).toMatchObject({
    code: 'OPERATOR_FAILED',
    retriable: true,
    message: error.message,
    stack: error.stack,
    context: { topic: 'words', partition: 1, offset: 7, key: '[object Object]' },
    cause: { message: 'not a number' },
  })
})
