import type { ProjectFile, Rule } from './rule.js';

/** Shorter lines may be alike by chance, as entries of two tables of contents. */
const CHARACTERS_MIN = 120;

/** Decisions quote each other; the reference and the table of errors repeat what is the same for many operations. */
const isPage = (path: string): boolean =>
  path.endsWith('.md') && !/^docs\/(?:adr|api)\/|^docs\/errors\.md$/.test(path);

/** Long lines, each a paragraph, an item or a row of a table, without those of samples. */
const longLines = ({ text }: ProjectFile): readonly string[] =>
  text
    .replace(/^```[\s\S]*?^```/gm, '')
    .split('\n')
    .filter((line) => line.length >= CHARACTERS_MIN);

function repeated(files: readonly ProjectFile[]): readonly string[] {
  const saidIn = new Map<string, string>();
  return files
    .filter(({ path }) => isPage(path))
    .flatMap((file) => longLines(file).map((line) => [file.path, line] as const))
    .flatMap(([path, line]) => {
      const before = saidIn.get(line);
      saidIn.set(line, path);
      return before === undefined ? [] : [`${path}: ${before} says it, too: ${line.slice(0, 60)}`];
    });
}

const LONG = 'A sentence. '.repeat(CHARACTERS_MIN / 10);

export const saidOnce: Rule = {
  says: 'says nothing in two places of its pages',
  check: repeated,
  broken: {
    'a paragraph of two pages': { 'docs/a.md': LONG, 'docs/guides/b.md': `# B\n\n${LONG}` },
    'a paragraph twice in a page': { 'README.md': `${LONG}\n\n${LONG}` },
  },
  kept: {
    'README.md': `${LONG}\n\n\`\`\`\n${LONG}\n${LONG}\n\`\`\`\n\nA short line.`,
    'docs/a.md': 'A short line.',
    'docs/adr/b.md': LONG,
    'docs/errors.md': LONG,
    'docs/a.json': LONG,
  },
};
