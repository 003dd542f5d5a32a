import type { ByteWriter } from '../bytes.ts'
import { defaultExpression } from './defaults.ts'
import { inGroups, reachedTwice, weightOf } from './graph.ts'
import { decimal, mismatch, onlyKey, uuid, writeBigLong, writeText } from './primitives.ts'
import {
  type AvroType,
  childrenOf,
  type Field,
  type Fixed,
  type Primitive,
  type RecordType,
  type Shape,
  shapeOf,
  typeName,
  type Union,
} from './types.ts'

/** Appends a value. Throws something when it is not one of the schema; `explain` then says what is wrong with it. */
export type Encoder<T> = (value: T, out: ByteWriter) => void

/** Compiles a schema: checks and writes inlined, straight into the writer's buffer, with room made once per stretch. */
export function compileEncoder<T>(root: AvroType, bigint = false): Encoder<T> {
  const constants: unknown[] = []
  const constant = (value: unknown): string => `k${constants.push(value) - 1}`
  const shared = reachedTwice(root, childrenOf)
  const functions = new Map<RecordType, string>()
  const bodies: string[] = []
  const weigh = (type: AvroType): number => weightOf(type, childrenOf, (each) => shared.has(each))
  let groupCount = 0
  let variables = 0
  const local = () => `v${variables++}`

  /** Statements that write `v`, the name of a variable. */
  function write(type: AvroType, v: string, room: Room): string {
    switch (type.kind) {
      case 'null':
        return `if(${v}!=null)X();`
      case 'boolean':
        room.add(1)
        return `if(${v}===true)b[p++]=1;else if(${v}===false)b[p++]=0;else X();`
      case 'int':
        return `if((${v}|0)!==${v})X();${int(v, room)}`
      case 'long':
        return long(v, room)
      case 'float':
        room.add(4)
        return `if(typeof ${v}!=='number')X();d.setFloat32(p,${v},true);p+=4;`
      case 'double':
        room.add(8)
        return `if(typeof ${v}!=='number')X();d.setFloat64(p,${v},true);p+=8;`
      case 'string':
        return (
          `if(typeof ${v}!=='string')X();n=${v}.length;${room.ensure('n*3+5')}` +
          `if(n<64){b[p]=n<<1;q=p+1;for(i=0;i<n;i++){z=${v}.charCodeAt(i);if(z>127)break;b[q+i]=z}` +
          `p=i===n?q+n:T(b,p,${v})}else p=T(b,p,${v});`
        )
      case 'bytes':
      case 'fixed':
        return binary(type, v, room)
      case 'enum': {
        const indexes = new Map(type.symbols.map((symbol, index) => [symbol, index]))
        return `h=${constant(indexes)}.get(${v});if(h===undefined)X();${int('h', room)}`
      }
      case 'array':
        return `if(!Array.isArray(${v}))X();${items(v, room, (item, inside) => write(type.items, item, inside))}`
      case 'map':
        return map(type.values, v, room)
      case 'union':
        return type.wrapped ? wrapped(type, v, room) : unwrapped(type, v, room)
      case 'record':
        if (!shared.has(type)) return record(type, v, room)
        return call(functionOf(type), v, room)
    }
  }

  function record(type: RecordType, v: string, room: Room): string {
    const groups = inGroups(type.fields, (field) => weigh(field.type))
    const written =
      groups.length < 2 ? fields(type.fields, v, room) : groups.map((group) => outside(group, v, room)).join('')
    return `if(typeof ${v}!=='object'||${v}===null)X();{${written}}`
  }

  function fields(of: readonly Field[], v: string, room: Room): string {
    const statements = of.map(({ name, type, default: given }) => {
      const value = local()
      // A field that is left out takes its default.
      const otherwise = given
        ? `if(${value}===undefined)${value}=${defaultExpression(type, given.json, bigint, name)};`
        : ''
      return `let ${value}=${v}.${name};${otherwise}${write(type, value, room)}\n`
    })
    return statements.join('')
  }

  /** Writes fields in a function of its own. */
  function outside(group: readonly Field[], v: string, room: Room): string {
    const name = `g${groupCount++}`
    bodies.push(writer(name, (inside) => fields(group, 'v', inside)))
    return call(name, v, room)
  }

  function call(name: string, v: string, room: Room): string {
    return `o.position=p;${name}(${v},o);b=o.buffer;d=o.view;p=o.position;${room.ensure('0')}`
  }

  function binary(type: Primitive | Fixed, v: string, room: Room): string {
    const { logical } = type
    const size = type.kind === 'fixed' ? type.size : undefined
    const bytes = local()
    let from = v
    if (logical?.name === 'decimal') from = `D(${v},${logical.precision},${logical.scale},${size})`
    else if (logical?.name === 'uuid') from = `U(${v})`
    const length = size === undefined ? int('h', room) : `if(h!==${size})X();`
    return (
      `{const ${bytes}=${from};if(!(${bytes} instanceof Uint8Array))X();h=${bytes}.length;` +
      `${room.ensure('h')}${length}b.set(${bytes},p);p+=h}`
    )
  }

  /** One block of items, since they are all there: count, items, and the 0 that ends the blocks. */
  function items(list: string, room: Room, each: (item: string, room: Room) => string): string {
    const index = local()
    const item = local()
    room.add(1)
    return (
      `if(${list}.length>0){h=${list}.length;${int('h', room)}for(let ${index}=0;${index}<${list}.length;${index}++){` +
      `const ${item}=${list}[${index}];${stretch((inside) => each(item, inside))}}${room.ensure('0')}}b[p++]=0;`
    )
  }

  function map(values: AvroType, v: string, room: Room): string {
    const keys = local()
    const value = local()
    const each = (key: string, inside: Room) =>
      `${write({ kind: 'string' }, key, inside)}const ${value}=${v}[${key}];${write(values, value, inside)}`
    // Neither has keys of its own: what a Map or Set holds would be lost without a word.
    const isNone = `Array.isArray(${v})||${v} instanceof Uint8Array||${v} instanceof Map||${v} instanceof Set`
    const isMap = `typeof ${v}!=='object'||${v}===null||${isNone}`
    return `if(${isMap})X();{const ${keys}=Object.keys(${v});${items(keys, room, each)}}`
  }

  /** Branches by what the value is; objects last, since bytes and arrays are objects too. */
  function unwrapped({ branches }: Union, v: string, room: Room): string {
    callIfTooMuch(branches)
    const cases = branches.map((branch, index) => {
      const shape = shapeOf(branch as Exclude<AvroType, Union>)
      const content = shape === 'null' ? '' : write(branch, v, room)
      return { shape, code: `if(${isShape[shape](v)}){${tag(index, room)}${content}}else ` }
    })
    cases.sort((a, b) => Number(a.shape === 'object') - Number(b.shape === 'object'))
    return `${cases.map(({ code }) => code).join('')}X();`
  }

  function wrapped({ branches }: Union, v: string, room: Room): string {
    callIfTooMuch(branches)
    const key = local()
    const inner = local()
    let whenNull = ''
    const cases = branches.map((branch, index) => {
      const which = tag(index, room)
      if (branch.kind === 'null') {
        whenNull = `if(${v}==null){${which}}else `
        return ''
      }
      return `case ${JSON.stringify(typeName(branch))}:{${which}const ${inner}=${v}[${key}];${write(branch, inner, room)}break}`
    })
    return `${whenNull}{const ${key}=O(${v});switch(${key}){${cases.join('')}default:X()}}`
  }

  /** Many large records in one union: each gets a function. */
  function callIfTooMuch(branches: readonly AvroType[]): void {
    if (inGroups(branches, weigh).length > 1) for (const branch of branches) shared.add(branch)
  }

  function functionOf(type: RecordType): string {
    let name = functions.get(type)
    if (name) return name
    name = `w${functions.size}`
    functions.set(type, name)
    bodies.push(writer(name, (room) => record(type, 'v', room)))
    return name
  }

  function writer(name: string, body: (room: Room) => string): string {
    return `function ${name}(v,o){let b=o.buffer,d=o.view,p=o.position,n,q,i,z,h,l;${stretch(body)}o.position=p}`
  }

  function stretch(body: (room: Room) => string): string {
    const total = constants.push(0) - 1
    let bytes = 0
    const room: Room = {
      add: (more) => {
        bytes += more
      },
      ensure: (more) =>
        `if(p+${more}+k${total}>b.length){o.position=p;o.ensure(${more}+k${total});b=o.buffer;d=o.view}`,
    }
    const code = body(room)
    constants[total] = bytes
    return room.ensure('0') + code
  }

  bodies.push(writer('encode', (room) => write(root, 'v', room)))
  const names = constants.map((_, index) => `k${index}`)
  const make = new Function(...Object.keys(helpers), ...names, `${bodies.join('\n')}\nreturn encode`)
  return make(...Object.values(helpers), ...constants) as Encoder<T>
}

/** By the names that the generated code has for them. */
const helpers = { X: mismatch, T: writeText, G: writeBigLong, D: decimal, U: uuid, O: onlyKey }

/** Accounts for the room of a stretch of code: what it writes at most, besides strings and the like. */
interface Room {
  add(bytes: number): void
  /** A statement that makes room for so many bytes more than the stretch takes by itself. */
  ensure(more: string): string
}

function int(v: string, room: Room): string {
  room.add(5)
  return `n=(${v}<<1)^(${v}>>31);while(n&-128){b[p++]=n&127|128;n>>>=7}b[p++]=n;`
}

/** The index of a union's branch. */
function tag(index: number, room: Room): string {
  if (index > 63) return `h=${index};${int('h', room)}`
  room.add(1)
  return `b[p++]=${index * 2};`
}

/** Beyond 32 bits in two parts, the lower of 28 bits. */
function long(v: string, room: Room): string {
  room.add(10)
  return (
    `if(typeof ${v}!=='number'){if(typeof ${v}!=='bigint')X();p=G(b,p,${v})}else if((${v}|0)===${v}){${int(v, room)}}` +
    `else{if(!Number.isSafeInteger(${v}))X();l=${v}<0?-1-${v}:${v};h=Math.floor(l/134217728);` +
    `n=(l-h*134217728)*2+(${v}<0?1:0);b[p]=n&127|128;b[p+1]=n>>>7&127|128;b[p+2]=n>>>14&127|128;b[p+3]=n>>>21|128;` +
    'p+=4;while(h>127){b[p++]=h&127|128;h>>>=7}b[p++]=h}'
  )
}

const isShape: Record<Shape, (v: string) => string> = {
  null: (v) => `${v}==null`,
  boolean: (v) => `typeof ${v}==='boolean'`,
  number: (v) => `typeof ${v}==='number'||typeof ${v}==='bigint'`,
  string: (v) => `typeof ${v}==='string'`,
  bytes: (v) => `${v} instanceof Uint8Array`,
  array: (v) => `Array.isArray(${v})`,
  object: (v) => `typeof ${v}==='object'`,
}
