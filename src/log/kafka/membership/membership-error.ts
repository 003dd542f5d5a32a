import { MillraceError } from '../../../errors.ts'
import { errorCodes, kafkaError } from '../wire/error-codes.ts'

/** What a coordinator's refusal means, with the way out. Retriable only where waiting helps. */
export function membershipError(code: number, group: string, instanceId: string | undefined): MillraceError {
  const what = `membership in group "${group}"`
  const because = (detail: string) => ({ detail })
  switch (code) {
    case errorCodes.FENCED_INSTANCE_ID:
      return new MillraceError('FENCED', `another process has joined group "${group}" as instance "${instanceId}"`, {
        hint: 'give every instance an instanceId of its own, and stop the old process before the new one starts',
      })
    case errorCodes.INCONSISTENT_GROUP_PROTOCOL:
      return new MillraceError('INVALID_OPTION', `group "${group}" is in use by consumers of another kind`, {
        hint: 'rename the application, or stop the other consumers of the group',
      })
    case errorCodes.GROUP_MAX_SIZE_REACHED:
      return new MillraceError('INVALID_OPTION', `group "${group}" has as many members as the broker allows`, {
        hint: "raise the broker's group.max.size, or run fewer instances",
      })
    case errorCodes.GROUP_ID_NOT_FOUND:
      return kafkaError(code, what, because('a group of that name with another protocol, such as streams, exists'))
    default:
      return kafkaError(code, what)
  }
}

/** Another member, or another process of the same name, has taken over. */
export function isFenced(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'FENCED'
}
