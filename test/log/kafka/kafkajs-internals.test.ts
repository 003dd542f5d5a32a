import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { kafkajsConnection, writeRequest } from '../../../src/log/kafka/kafkajs-internals.ts'
import { produceRequest } from '../../../src/log/kafka/wire/produce.ts'

const require = createRequire(import.meta.url)

test('kafkajs is the version whose internals were studied', () => {
  const installed = require('kafkajs/package.json')
  expect(installed.version).toBe('2.2.4')
  expect(installed.exports, 'an exports map would forbid deep imports').toBeUndefined()
  expect(require('../../../package.json').dependencies.kafkajs).toBe('2.2.4')
})

test('the connection of kafkajs has the members that are used', () => {
  const connection = kafkajsConnection({
    host: '127.0.0.1',
    port: 1,
    clientId: 'test',
    ssl: null,
    sasl: null,
    connectionTimeout: 1000,
    requestTimeout: 1000,
    socketFactory: () => {
      throw new Error('not connected in this test')
    },
    log: () => {},
  })
  const methods = [
    'connect',
    'setVersions',
    'setSupportAuthenticationProtocol',
    'authenticate',
    'isAuthenticated',
    'failIfNotConnected',
    'nextCorrelationId',
    'isConnected',
    'disconnect',
    'rejectRequests',
    'processData',
  ] as const
  for (const name of methods) expect(connection[name], name).toBeTypeOf('function')
  expect(connection.clientId).toBe('test')
  expect(connection.requestQueue.push).toBeTypeOf('function')
  expect(connection.requestQueue.fulfillRequest).toBeTypeOf('function')
  expect(connection.requestQueue.scheduleCheckPendingRequests).toBeTypeOf('function')
  expect(connection.requestQueue.pending).toEqual([])
  const prototype = require('kafkajs/src/network/connection').prototype
  expect(prototype.processData, 'the method that is replaced').toBeTypeOf('function')
  expect(require('kafkajs/src/network/requestQueue').prototype.scheduleCheckPendingRequests).toBeTypeOf('function')
})

test('the names of errors that are told apart', () => {
  const errors = require('kafkajs/src/errors')
  for (const name of ['KafkaJSSASLAuthenticationError', 'KafkaJSRequestTimeoutError'])
    expect(new errors[name]('text', {}).name).toBe(name)
  const refused = new errors.KafkaJSConnectionError('text', { broker: 'b:1', code: 'ECONNREFUSED' })
  expect(refused.code).toBe('ECONNREFUSED')
  const { createErrorFromCode } = require('kafkajs/src/protocol/error')
  expect(createErrorFromCode(33).type).toBe('UNSUPPORTED_SASL_MECHANISM')
  expect(createErrorFromCode(34).type).toBe('ILLEGAL_SASL_STATE')
})

test('a request is framed as the protocol wants it, and what is large is not copied', () => {
  const batches = ['first', 'second'].map((text, partition) => ({ topic: 't', partition, batch: Buffer.from(text) }))
  const written: Buffer[] = []
  const socket = { cork() {}, uncork() {}, write: (piece: Buffer) => written.push(piece) > 0 }
  writeRequest(socket, produceRequest(batches, null, 1000), 7, 'me')
  const bytes = Buffer.concat(written)
  const header = `${'0000'}${'0008'}${'00000007'}${'00026d65'}`
  const partitions = ['first', 'second'].map((text, partition) => {
    const length = Buffer.alloc(8)
    length.writeInt32BE(partition)
    length.writeInt32BE(text.length, 4)
    return length.toString('hex') + Buffer.from(text).toString('hex')
  })
  const body = `${'ffff'}${'ffff'}${'000003e8'}${'00000001'}${'000174'}${'00000002'}${partitions.join('')}`
  expect(bytes.toString('hex', 4)).toBe(header + body)
  expect(bytes.readInt32BE(0)).toBe(bytes.length - 4)
  for (const { batch } of batches) expect(written).toContain(batch)
})
