import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { kafkajsConnection } from '../../../src/log/kafka/kafkajs-internals.ts'

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
    'send',
    'isConnected',
    'disconnect',
    'rejectRequests',
    'processData',
  ] as const
  for (const name of methods) expect(connection[name], name).toBeTypeOf('function')
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

test('a request is framed as the protocol wants it', async () => {
  const createRequest = require('kafkajs/src/protocol/request')
  const body = Buffer.from('body')
  const encode = async () => ({ buf: body, buffer: body })
  const { buffer } = await createRequest({
    correlationId: 7,
    clientId: 'me',
    request: { apiKey: 3, apiVersion: 9, encode },
  })
  expect(buffer.toString('hex')).toBe(
    `${'00000010'}${'0003'}${'0009'}${'00000007'}${'00026d65'}${body.toString('hex')}`,
  )
})
