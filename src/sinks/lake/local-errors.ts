import { MillraceError, toError } from '../../errors.ts'

/** What went wrong on the disk, in the library's codes. */
export function localError(thrown: unknown, action: string, path: string): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  const cause = toError(thrown)
  const code = errno(thrown)
  const fail = (to: 'DISK_FULL' | 'DATA_DIRECTORY' | 'UNAVAILABLE', what: string, hint: string, retriable = false) =>
    new MillraceError(to, `cannot ${action} ${path}: ${what}`, { cause, hint, retriable })
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('DISK_FULL', 'no space is left', 'free some; the sink waits and goes on by itself', true)
    case 'EACCES':
    case 'EPERM':
      return fail('DATA_DIRECTORY', 'permission denied', 'give the user of this process write access to the directory')
    case 'EROFS':
      return fail('DATA_DIRECTORY', 'the file system is read-only', 'choose another directory, or mount it writable')
    case 'ENOTDIR':
    case 'EEXIST':
      return fail('DATA_DIRECTORY', 'a file is in the way of a directory', 'choose another directory')
    case 'ENOENT':
      return fail('UNAVAILABLE', 'it has been removed', 'leave the directory alone while the sink runs', true)
    case 'EMFILE':
    case 'ENFILE':
    case 'EBUSY':
    case 'EAGAIN':
    case 'ESTALE':
    case 'ETIMEDOUT':
      return fail('UNAVAILABLE', cause.message, 'the sink tries again by itself', true)
    default:
      return fail('DATA_DIRECTORY', cause.message, 'see the cause')
  }
}

/** The system's name of an error, such as 'ENOENT'. */
export function errno(thrown: unknown): string | undefined {
  return (thrown as NodeJS.ErrnoException | undefined)?.code
}
