import { type ByteSource, LONG_TEXT } from '../bytes.ts'
import { decimalText } from './decimal.ts'
import { defaultExpression, property } from './defaults.ts'
import { Fault } from './fault.ts'
import { inGroups, reachedTwice, weightOf } from './graph.ts'
import { type Plan, type RecordPlan, stepsOf } from './resolve.ts'
import { type Scope, scope } from './scope.ts'
import { skipper } from './skip.ts'
import { canBeEmpty } from './types.ts'
import { cursor, readBigLong, readLength, readLossyLong, readSafeLong } from './varint.ts'

/** Reads the value in exactly the bytes [start, end). Throws a Fault when they do not hold one. */
export type Decoder<T> = (source: ByteSource, start: number, end: number) => T

/**
 * Compiles a plan: one function in which every read is inlined and that ends in one object literal, with its fields in
 * the reader's order. Strings are substrings of the text of the whole batch, longs are put together 28 bits at a time:
 * half the time of an interpreting decoder. Only records that recur, in the graph or in themselves, get a function of
 * their own, so that the code stays linear in the size of the schema.
 *
 * Bytes past `end` may be read (they belong to the next record, or are undefined), but what depends on them is never
 * given out: lengths are checked where they are read, everything else by one comparison at the end.
 */
export function compileDecoder<T>(root: Plan, bigint = false): Decoder<T> {
  const constants: unknown[] = []
  const constant = (value: unknown): string => `k${constants.push(value) - 1}`
  const shared = reachedTwice(root, stepsOf)
  const functions = new Map<Plan, string>()
  const bodies: string[] = []
  const skips = skipper(constant, bodies)
  const weigh = (plan: Plan): number => weightOf(plan, stepsOf, (each) => shared.has(each))
  let groupCount = 0

  /** The value of a plan: statements, and an expression to be evaluated once, right after them. */
  function value(plan: Plan, path: string, s: Scope): [statements: string, expression: string] {
    if (plan.op === 'record' && !shared.has(plan)) return record(plan, path, s)
    const to = s.local()
    return [into(plan, to, path, s), to]
  }

  function into(plan: Plan, to: string, path: string, s: Scope): string {
    const fail = (what: string) => `F(${constant(`${path || 'the value'}: ${what}`)})`
    const length = (what: string) =>
      `n=b[p++];if(n>127){z=b[p++];if(z<128)n=n&127|z<<7;else{n=L(b,p-2);p=C.at}}e=p+(n>>>1);` +
      `if(n&1||!(e<=end))${fail(`a ${what} reaches past the end`)};`
    switch (plan.op) {
      case 'null':
        return `${to}=null;`
      case 'boolean':
        return `z=b[p++];if(z>1)${fail('a boolean is 0 or 1')};${to}=z===1;`
      case 'int':
        return int(plan.as === 'bigint' ? 'x' : to, fail) + (plan.as === 'bigint' ? `${to}=BigInt(x);` : '')
      case 'long':
        return long(to, plan.as, constant(path || 'the value'))
      case 'float':
        return `if(p+4>end)${fail('a float reaches past the end')};${to}=${s.view()}.getFloat32(p,true);p+=4;`
      case 'double':
        return `if(p+8>end)${fail('a double reaches past the end')};${to}=${s.view()}.getFloat64(p,true);p+=8;`
      case 'string':
        return (
          `${length('string')}if(e-p>${LONG_TEXT})${to}=b.utf8Slice(p,e);else{h=0;for(q=p;q<e;q++)h|=b[q];` +
          `${to}=h<128?${s.text()}.substring(p-o,e-o):b.utf8Slice(p,e)}p=e;`
        )
      case 'bytes':
        return `${length('bytes value')}${to}=new Uint8Array(b.subarray(p,e));p=e;`
      case 'decimal':
        return `${plan.size === undefined ? length('decimal') : fixed(plan.size, fail)}${to}=D(b,p,e,${plan.scale});p=e;`
      case 'fixed':
        return `${fixed(plan.size, fail)}${to}=new Uint8Array(b.subarray(p,e));p=e;`
      case 'uuid':
        return `${fixed(16, fail)}${to}=U(b,p);p=e;`
      case 'enum':
        return `${int('n', fail)}${to}=${constant(plan.symbols)}[n];if(${to}===undefined)F(${constant(plan.reason)},${plan.symbols.includes(undefined)});`
      case 'array':
        return array(plan, to, path, s)
      case 'map':
        return map(plan, to, path, s)
      case 'union':
        return union(plan, to, path, s)
      case 'wrap': {
        const [statements, expression] = value(plan.inner, path, s)
        return `${statements}${to}={${property(plan.branch)}:${expression}};`
      }
      case 'fail':
        return `F(${constant(plan.reason)},true);`
      case 'record': {
        if (shared.has(plan)) return `${to}=${functionOf(plan, path)}(s,p,end);p=C.at;`
        const [statements, expression] = record(plan, path, s)
        return `${statements}${to}=${expression};`
      }
    }
  }

  function record(plan: RecordPlan, path: string, s: Scope): [string, string] {
    const values = new Array<string>(plan.reader.fields.length)
    const groups = inGroups(plan.steps, (step) => ('skip' in step ? 1 : weigh(step.plan)))
    const statements =
      groups.length < 2
        ? steps(plan.steps, path, s, values)
        : groups.map((group) => outside(group, path, s, values)).join('')
    for (const index of plan.defaults) {
      const { name, type, default: fallback } = plan.reader.fields[index]
      values[index] = defaultExpression(type, fallback?.json, bigint, name)
    }
    return [statements, `{${plan.reader.fields.map(({ name }, i) => `${property(name)}:${values[i]}`).join(',')}}`]
  }

  /** Reads fields into variables, whose names go into `values` by the field's index. */
  function steps(of: RecordPlan['steps'], path: string, s: Scope, values: string[]): string {
    let statements = ''
    for (const step of of) {
      const at = path === '' ? step.name : `${path}.${step.name}`
      if ('skip' in step) statements += skips.code(step.skip, at, s)
      else {
        values[step.field] = s.local()
        statements += `${into(step.plan, values[step.field], at, s)}\n`
      }
    }
    return statements
  }

  /** Reads fields in a function of its own, which returns them as an array. */
  function outside(group: RecordPlan['steps'], path: string, s: Scope, values: string[]): string {
    const name = `g${groupCount++}`
    const own = scope()
    const statements = steps(group, path, own, values)
    const fields = group.flatMap((step) => ('skip' in step ? [] : [step.field]))
    const list = fields.map((field) => values[field]).join(',')
    bodies.push(`function ${name}(s,p,end){${own.head()}${statements}C.at=p;return [${list}]}`)
    const got = s.local()
    fields.forEach((field, index) => {
      values[field] = `${got}[${index}]`
    })
    return `${got}=${name}(s,p,end);p=C.at;`
  }

  function array(plan: Plan & { op: 'array' }, to: string, path: string, s: Scope): string {
    const list = s.local()
    const [statements, expression] = value(plan.items, `${path}[]`, s)
    return `${list}=[];${s.blocks(
      constant(path),
      canBeEmpty(plan.writer) ? `${list}.length` : undefined,
      `${statements}if(p>end)F(${constant(`${path}: the array reaches past the end`)});${list}.push(${expression});`,
    )}${to}=${list};`
  }

  function map(plan: Plan & { op: 'map' }, to: string, path: string, s: Scope): string {
    const object = s.local()
    const key = s.local()
    const [statements, expression] = value(plan.values, `${path}{}`, s)
    const readKey = into({ op: 'string' }, key, `${path}{}`, s)
    return `${object}={};${s.blocks(
      constant(path),
      undefined,
      `${readKey}${statements}if(${key}==='__proto__')Object.defineProperty(${object},${key},` +
        `{value:${expression},enumerable:true,configurable:true,writable:true});else ${object}[${key}]=${expression};`,
    )}${to}=${object};`
  }

  function union(plan: Plan & { op: 'union' }, to: string, path: string, s: Scope): string {
    if (inGroups(plan.branches, weigh).length > 1) for (const branch of plan.branches) shared.add(branch)
    const branches = plan.branches.map((branch, index) => `case ${index}:{${into(branch, to, path, s)}break}`)
    const noBranch = `F(${constant(`${path || 'the value'}: no such branch in the union`)})`
    const [first, second] = plan.branches
    if (plan.branches.length !== 2)
      return `${int('n', () => noBranch)}switch(n){${branches.join('')}default:${noBranch}}`
    return `z=b[p++];if(z===0){${into(first, to, path, s)}}else if(z===2){${into(second, to, path, s)}}else ${noBranch};`
  }

  function functionOf(plan: RecordPlan, path: string): string {
    let name = functions.get(plan)
    if (name) return name
    name = `r${functions.size}`
    functions.set(plan, name)
    const s = scope()
    const [statements, expression] = record(plan, path === '' ? '' : plan.reader.name, s)
    bodies.push(`function ${name}(s,p,end){${s.head()}${statements}const r=${expression};C.at=p;return r}`)
    return name
  }

  const s = scope()
  const [statements, expression] = value(root, '', s)
  const whole = `if(p!==end)T(p,end);`
  const source = `function decode(s,p,end){${s.head()}${statements}${whole}return ${expression}}`
  const names = constants.map((_, index) => `k${index}`)
  const make = new Function(...Object.keys(helpers), ...names, `${bodies.join('\n')}\nreturn ${source}`)
  return make(...Object.values(helpers), ...constants) as Decoder<T>
}

type Fail = (what: string) => string

function int(to: string, fail: Fail): string {
  return (
    `z=b[p++];if(z<128)${to}=(z>>>1)^-(z&1);else{n=z&127;z=b[p++];n|=(z&127)<<7;if(z>127){z=b[p++];n|=(z&127)<<14;` +
    `if(z>127){z=b[p++];n|=(z&127)<<21;if(z>127){z=b[p++];if(z>15)${fail('the int has more than 32 bits')};n|=z<<28}}}` +
    `${to}=(n>>>1)^-(n&1)}`
  )
}

/** Up to eight bytes here, in two halves of 28 bits; the rest, and what a number cannot hold, in a call. */
function long(to: string, as: 'number' | 'bigint' | 'lossy', what: string): string {
  const more = (half: string, shift: number, then: string) => `if(z>127){z=b[p++];${half}|=(z&127)<<${shift};${then}}`
  const low = more(
    'n',
    7,
    more('n', 14, more('n', 21, `if(z>127){z=b[p++];h=z&127;${more('h', 7, more('h', 14, more('h', 21, '')))}}`)),
  )
  const read = `h=0;z=b[p++];n=z&127;${low}`
  const split = 'x=h===0?(n>>>1)^-(n&1):n&1?-1-(h*134217728+(n>>>1)):h*134217728+(n>>>1)'
  const call = { number: 'S', lossy: 'Y', bigint: 'B' }[as]
  return (
    `q=p;${read}if(z>127||h>67108863){${to}=${call}(b,q,${what});p=C.at}` +
    `else{${split};${to}=${as === 'bigint' ? 'BigInt(x)' : 'x'}}`
  )
}

function fixed(size: number, fail: Fail): string {
  return `e=p+${size};if(e>end)${fail('a fixed reaches past the end')};`
}

function uuidText(bytes: Buffer, start: number): string {
  const hex = bytes.toString('hex', start, start + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** By the names that the generated code has for them. */
const helpers = {
  F: failWith,
  T: notWhole,
  C: cursor,
  L: readLength,
  B: readBigLong,
  S: readSafeLong,
  Y: readLossyLong,
  D: decimalText,
  U: uuidText,
}

function failWith(message: string, incompatible?: boolean): never {
  throw new Fault(message, incompatible)
}

function notWhole(at: number, end: number): never {
  throw new Fault(at > end ? 'the bytes end within the value' : `${end - at} bytes are left over after the value`)
}
