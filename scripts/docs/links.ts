import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Links of Markdown files, given ones and all in a folder, to files or headings of the project that are not there. */
export function brokenLinks(files: readonly string[], folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  return [...files, ...found.map((name) => join(folder, name))].flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
    return [...text.matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)].flatMap(([, link]) =>
      leads(file, link) ? [] : [`${file}: the link ${link} leads nowhere`],
    )
  })
}

function leads(from: string, link: string): boolean {
  const [path, heading] = link.split('#')
  const target = path === '' ? from : join(dirname(from), path)
  if (!existsSync(target)) return false
  return heading === undefined || headingsOf(target).includes(heading)
}

/** As GitHub names them. */
function headingsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replace(/ /g, '-'),
  )
}
