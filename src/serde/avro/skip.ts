import { type Scope, scope } from './scope.ts'
import { type AvroType, canBeEmpty, type RecordType } from './types.ts'

export interface Skipper {
  /** Statements that pass over a value of the type. */
  code(type: AvroType, path: string, s: Scope): string
}

/** Code for fields that the reader does not have. Records get a function each, since nothing is built from them. */
export function skipper(constant: (value: unknown) => string, bodies: string[]): Skipper {
  const functions = new Map<RecordType, string>()

  function code(type: AvroType, path: string, s: Scope): string {
    switch (type.kind) {
      case 'null':
        return ''
      case 'boolean':
        return 'p++;'
      case 'int':
      case 'long':
      case 'enum':
        return 'while(b[p++]>127);'
      case 'float':
        return 'p+=4;'
      case 'double':
        return 'p+=8;'
      case 'fixed':
        return `p+=${type.size};`
      case 'string':
      case 'bytes':
        return (
          'n=b[p++];if(n>127){n=L(b,p-1);p=C.at}p+=n>>>1;' +
          `if(n&1||p>end)F(${constant(`${path}: a ${type.kind} reaches past the end`)});`
        )
      case 'array':
        return blocks(type.items, path, s, code(type.items, `${path}[]`, s))
      case 'map':
        return blocks(
          { kind: 'string' },
          path,
          s,
          code({ kind: 'string' }, path, s) + code(type.values, `${path}{}`, s),
        )
      case 'union': {
        const branches = type.branches.map((branch, i) => `case ${i * 2}:{${code(branch, path, s)}break}`)
        const noBranch = `F(${constant(`${path}: no such branch in the union`)})`
        return `n=b[p++];if(n>127){n=L(b,p-1);p=C.at}switch(n){${branches.join('')}default:${noBranch}}`
      }
      case 'record':
        return `p=${functionOf(type, path)}(b,p,end);`
    }
  }

  /** A block that tells its size in bytes is jumped over; items that take no bytes are not looked at. */
  function blocks(items: AvroType, path: string, s: Scope, item: string): string {
    const count = s.local()
    const read = (to: string) => `z=b[p++];if(z<128)${to}=(z>>>1)^-(z&1);else{${to}=S(b,p-1,${constant(path)});p=C.at}`
    const past = `F(${constant(`${path}: a block reaches past the end`)})`
    const each = canBeEmpty(items) ? '' : `for(;${count}>0;${count}--){${item}if(p>end)${past}}`
    return (
      `for(;;){${read(count)}if(${count}===0)break;` +
      `if(${count}<0){${read('x')}p+=x;if(x<0)${past}}else{${each}}if(p>end)${past}}`
    )
  }

  function functionOf(type: RecordType, path: string): string {
    let name = functions.get(type)
    if (name) return name
    name = `s${functions.size}`
    functions.set(type, name)
    const own = scope()
    const statements = type.fields.map((field) => code(field.type, `${path}.${field.name}`, own)).join('')
    bodies.push(`function ${name}(b,p,end){${own.variables()}${statements}return p}`)
    return name
  }

  return { code }
}
