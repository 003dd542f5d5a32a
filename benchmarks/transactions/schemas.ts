/** The Avro schemas of the transactions benchmark. Their ids are constants, in this order: no registry is needed. */
import { memoryRegistry } from 'millrace/avro'

const time = { type: 'long', logicalType: 'timestamp-millis' } as const

export const transactionSchema = {
  type: 'record',
  name: 'Transaction',
  namespace: 'bench',
  fields: [
    { name: 'transaction_id', type: 'string' },
    { name: 'user_id', type: 'string' },
    { name: 'product_id', type: 'int' },
    { name: 'category', type: 'string' },
    { name: 'amount', type: 'double' },
    { name: 'currency', type: 'string' },
    { name: 'quantity', type: 'int' },
    { name: 'status', type: 'string' },
    { name: 'created_at', type: time },
    { name: 'payment_method', type: ['null', 'string'], default: null },
  ],
} as const

export const revenueSchema = {
  type: 'record',
  name: 'Revenue',
  namespace: 'bench',
  fields: [
    { name: 'user_id', type: 'string' },
    { name: 'window_start', type: time },
    { name: 'window_end', type: time },
    { name: 'count', type: 'int' },
    { name: 'revenue', type: 'double' },
  ],
} as const

export const paymentSchema = {
  type: 'record',
  name: 'Payment',
  namespace: 'bench',
  fields: [
    { name: 'transaction_id', type: 'string' },
    { name: 'user_id', type: 'string' },
    { name: 'cents', type: 'long' },
    { name: 'category', type: 'string' },
    { name: 'created_at', type: time },
  ],
} as const

export const clickSchema = {
  type: 'record',
  name: 'Click',
  namespace: 'bench',
  fields: [
    { name: 'click_id', type: 'string' },
    { name: 'user_id', type: 'string' },
    { name: 'page', type: 'string' },
    { name: 'clicked_at', type: time },
  ],
} as const

export const attributionSchema = {
  type: 'record',
  name: 'Attribution',
  namespace: 'bench',
  fields: [
    { name: 'transaction_id', type: 'string' },
    { name: 'click_id', type: 'string' },
    { name: 'user_id', type: 'string' },
    { name: 'page', type: 'string' },
    { name: 'amount', type: 'double' },
    { name: 'created_at', type: time },
  ],
} as const

/** Ids 1 to 5, in this order. */
export const registry = () =>
  memoryRegistry([
    { subject: 'transactions', schema: transactionSchema },
    { subject: 'revenue', schema: revenueSchema },
    { subject: 'payments', schema: paymentSchema },
    { subject: 'clicks', schema: clickSchema },
    { subject: 'attributions', schema: attributionSchema },
  ])
