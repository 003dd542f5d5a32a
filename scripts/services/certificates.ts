/** A certificate authority of our own and a certificate for `localhost`, as PEM files: what the secured Kafka listener needs. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from './tools.ts'

/** Writes `ca.pem` for clients and `broker.pem` (key, then certificate) for the broker. Does nothing when they exist. */
export async function createCertificates(directory: string): Promise<void> {
  if (existsSync(directory)) return
  const scratch = `${directory}.partial`
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true, mode: 0o700 })
  const openssl = (...args: string[]) => runTool('openssl', args, { cwd: scratch })
  const newKey = ['-newkey', 'rsa:2048', '-nodes']
  const days = ['-days', '3650']

  writeFileSync(join(scratch, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  await openssl(
    'req',
    '-x509',
    ...newKey,
    ...days,
    '-subj',
    '/CN=Millrace test CA',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  await openssl('req', ...newKey, '-subj', '/CN=localhost', '-keyout', 'broker.key', '-out', 'broker.csr')
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names']
  await openssl('x509', '-req', '-in', 'broker.csr', ...signing, ...days, '-out', 'broker.crt')
  const pem = ['broker.key', 'broker.crt'].map((file) => readFileSync(join(scratch, file), 'utf8'))
  writeFileSync(join(scratch, 'broker.pem'), pem.join(''), { mode: 0o600 })
  renameSync(scratch, directory)
}
