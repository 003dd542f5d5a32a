import { type DocComment, fences } from './comments.ts'

/** What every operator's doc comment says, beside its text and signature, and how the page calls it. */
const FACTS = [
  ['ordering', 'Order'],
  ['state', 'State'],
  ['nulls', 'Null keys and values'],
  ['late', 'Late records'],
  ['kafkaStreams', 'Kafka Streams'],
] as const

const REQUIRED = ['marble', 'example', ...FACTS.map(([tag]) => tag)]

/** What an operator's doc comment lacks, each as a line that says where. */
export function problemsOf({ file, line, name, text, tags }: DocComment): string[] {
  const at = `${file}:${line}: ${name}`
  const problems = text === '' ? [`${at} has no summary`] : []
  for (const required of REQUIRED) {
    const found = tags.filter(({ tag }) => tag === required)
    if (found.length === 0 || found.some((tag) => tag.text === '')) problems.push(`${at} lacks @${required}`)
  }
  for (const { tag, text } of tags) {
    if (tag !== 'marble' && tag !== 'example') continue
    const languages = fences(text).map(({ language }) => language)
    const wanted = tag === 'marble' ? ['ts', 'marbles'] : ['ts']
    if (languages.join() !== wanted.join()) {
      problems.push(`${at}: @${tag} must hold ${wanted.map((language) => `a block of ${language}`).join(', then ')}`)
    }
  }
  return problems
}

/** An operator's page, in Markdown. */
export function pageOf({ name, file, text, tags, signatures }: DocComment): string {
  const all = (wanted: string) => tags.filter(({ tag }) => tag === wanted)
  const facts = FACTS.map(
    ([tag, title]) =>
      `| **${title}** | ${inTable(
        all(tag)
          .map((of) => of.text)
          .join(' '),
      )} |`,
  )
  return `${[
    '<!-- Made from the doc comments by `npm run docs`. Edit those. -->',
    `# ${name}`,
    links(text),
    `\`\`\`ts\n${signatures.join('\n')}\n\`\`\``,
    ...all('marble').flatMap((marble) => ['## Marble', marbleText(marble.text)]),
    ...all('example').flatMap((example) => ['## Example', example.text]),
    '## What to know',
    ['| | |', '| --- | --- |', ...facts].join('\n'),
    `Source: [${file}](../../${file}). All operators: [index](README.md). Marbles are [read like this](../testing.md#marbles).`,
  ].join('\n\n')}\n`
}

/** The list of all pages. */
export function indexOf(operators: readonly DocComment[]): string {
  const rows = operators.map(({ name, text, tags }) => {
    const theirs = tags.find(({ tag }) => tag === 'kafkaStreams')?.text ?? ''
    return `| [\`${name}\`](${name}.md) | ${inTable(summaryOf(text))} | ${inTable(theirs)} |`
  })
  return `${[
    '<!-- Made from the doc comments by `npm run docs`. Edit those. -->',
    '# Operators',
    'One page each: what it does, a marble that our tests execute, an example that compiles and runs, and what to know about order, state, nulls and late records.',
    ['| operator | what it does | Kafka Streams |', '| --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n')}\n`
}

function marbleText(text: string): string {
  return text.replace(/^```marbles$/gm, '```text')
}

/** The first sentence. */
function summaryOf(text: string): string {
  const [paragraph] = text.split('\n\n')
  return links(/^[\s\S]*?[.:](?=\s|$)/.exec(paragraph)?.[0].replace(/:$/, '.') ?? paragraph)
}

const links = (text: string): string => text.replace(/\{@link (\w+)\}/g, '`$1`')

const inTable = (text: string): string =>
  links(text)
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\|/g, '\\|')
