import { expect, it } from 'vitest'
import { createStampGate } from '../../src/runtime/stamp-gate.ts'

const stampOf = (epoch: number) => ({ group: 'g', memberId: 'm', epoch })
const epoch = async ({ epoch }: { epoch: number }) => epoch

it('lets through with the stamp of now', async () => {
  const gate = createStampGate()
  gate.open(stampOf(1))
  expect(gate.isOpen).toBe(true)
  expect(await gate.stamped(epoch)).toBe(1)
})

it('has whoever comes while it is closed wait for the next stamp', async () => {
  const gate = createStampGate()
  gate.open(stampOf(1))
  await gate.close()
  const waiting = gate.stamped(epoch)
  expect(gate.isOpen).toBe(false)
  gate.open(stampOf(2))
  expect(await waiting).toBe(2)
})

it('is closed when nothing is under way with the old stamp any more', async () => {
  const gate = createStampGate()
  gate.open(stampOf(1))
  const request = Promise.withResolvers<void>()
  const order: string[] = []
  const passing = gate.stamped(() => request.promise).then(() => void order.push('answered'))
  const closing = [gate.close(), gate.close()].map((closed) => closed.then(() => void order.push('closed')))
  request.resolve()
  await Promise.all([passing, ...closing])
  expect(order).toEqual(['answered', 'closed', 'closed'])
})

it('tells those who wait when membership is lost', async () => {
  const gate = createStampGate()
  gate.open(stampOf(1))
  await gate.close()
  const waiting = gate.stamped(epoch)
  gate.lose()
  await expect(waiting).rejects.toMatchObject({ code: 'FENCED' })
  await expect(gate.stamped(epoch)).rejects.toMatchObject({ code: 'FENCED' })
  gate.open(stampOf(3))
  expect(await gate.stamped(epoch)).toBe(3)
})

it('tries the old stamp when nobody wants to wait any longer', async () => {
  const gate = createStampGate()
  gate.open(stampOf(1))
  await gate.close()
  const waiting = gate.stamped(epoch)
  gate.reopen()
  expect(await waiting).toBe(1)
})
