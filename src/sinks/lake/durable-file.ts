import { link, open, rename } from 'node:fs/promises'
import { errno } from './local-errors.ts'

/** Writes a new file and waits until its bytes are on the disk. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Gives a written file its name. False when there is a file of that name already; that one stays as it is. */
export async function publish(temporary: string, target: string): Promise<boolean> {
  try {
    // Unlike a rename, a link fails where the name is taken: two writers cannot replace each other's file.
    await link(temporary, target)
    return true
  } catch (error) {
    const code = errno(error)
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
    await rename(temporary, target) // a file system without hard links
    return true
  }
}

/** Waits until the names in a folder are on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // cannot open a folder, and journals its names
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
