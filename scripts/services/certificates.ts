/** A certificate authority of our own and a certificate for `localhost`, as PEM files: what the secured Kafka listener needs. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from './tools.ts'

/**
 * Writes `ca.pem` and `client.pem`/`client.key` for clients and `broker.pem` (key, then certificate) for the broker. Does
 * nothing when they exist.
 */
export async function createCertificates(directory: string): Promise<void> {
  if (existsSync(join(directory, 'client.pem'))) return
  const scratch = `${directory}.partial`
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true, mode: 0o700 })
  const openssl = (...args: string[]) => runTool('openssl', args, { cwd: scratch })
  const newKey = ['-newkey', 'rsa:2048', '-nodes']
  const days = ['-days', '3650']

  /** `<name>.key` and `<name>.pem`, signed by the authority. */
  async function sign(name: string, subject: string, extensions: string): Promise<void> {
    writeFileSync(join(scratch, 'extensions'), extensions)
    await openssl('req', ...newKey, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions']
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signing, ...days, '-out', `${name}.pem`)
  }

  const authority = ['-subj', '/CN=Millrace test CA', '-keyout', 'ca.key', '-out', 'ca.pem']
  await openssl('req', '-x509', ...newKey, ...days, ...authority)
  await sign('client', '/CN=app', 'extendedKeyUsage=clientAuth\n')
  await sign('broker', '/CN=localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const pem = ['broker.key', 'broker.pem'].map((file) => readFileSync(join(scratch, file), 'utf8'))
  writeFileSync(join(scratch, 'broker.pem'), pem.join(''), { mode: 0o600 })
  rmSync(directory, { recursive: true, force: true })
  renameSync(scratch, directory)
}
