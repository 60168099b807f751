import { isSource, type ProjectFile, type Rule } from './rule.js';

const DOCUMENT = 'docs/retries.md';

/** Loops that try something again; those that start local servers or look for a free place are none of a request's. */
const TRIES_AGAIN = /\bfor \(let (?:attempt = |loads = |reads = |start = 1)/;
const isOnTheWay = ({ path }: ProjectFile): boolean =>
  isSource(path) && !path.startsWith('src/platform/local-servers/');

/** The settings in the table, by file: the last cell of a row names a file, then texts of that file. */
function settingsOf(markdown: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  for (const row of markdown.matchAll(/^\|.*\| (.*) \|$/gm)) {
    let path = '';
    for (const [, span = ''] of (row[1] ?? '').matchAll(/`([^`]+)`/g)) {
      if (span.startsWith('src/')) path = span;
      else settings.set(path, [...(settings.get(path) ?? []), span]);
    }
  }
  return settings;
}

/** Not as the beginning of a longer number. */
const says = (text: string, span: string): boolean =>
  text.split(span).some((rest, at) => at > 0 && !/^\w/.test(rest));

function compare(files: readonly ProjectFile[]): readonly string[] {
  const markdown = files.find(({ path }) => path === DOCUMENT)?.text ?? '';
  const settings = settingsOf(markdown);
  if (settings.size === 0) return [`${DOCUMENT}: has no table of retries`];
  const untrue = [...settings].flatMap(([path, spans]) => {
    const text = files.find((file) => file.path === path)?.text ?? '';
    return spans
      .filter((span) => !says(text, span))
      .map((span) => `${DOCUMENT}: ${path} does not say ${span}`);
  });
  const unnamed = files
    .filter((file) => isOnTheWay(file) && TRIES_AGAIN.test(file.text) && !settings.has(file.path))
    .map(({ path }) => `${path}: tries again, and ${DOCUMENT} does not say how often`);
  return [...untrue, ...unnamed];
}

const LOOP = 'const RUNS_MAX = 4;\nfor (let attempt = 1; attempt <= RUNS_MAX; attempt += 1) run();\n';
const documentOf = (cell: string): string =>
  `# Retries\n\n| boundary | set in |\n|---|---|\n| database | ${cell} |\n`;

export const retries: Rule = {
  says: 'describes every retry in the table of docs/retries.md, with the numbers of the code',
  check: compare,
  broken: {
    'no table': { 'src/a.ts': LOOP },
    'another number': {
      'src/a.ts': LOOP,
      [DOCUMENT]: documentOf('`src/a.ts` `RUNS_MAX = 3`'),
    },
    'the beginning of another number': {
      'src/a.ts': LOOP.replace('4', '40'),
      [DOCUMENT]: documentOf('`src/a.ts` `RUNS_MAX = 4`'),
    },
    'a file that is gone': { [DOCUMENT]: documentOf('`src/a.ts` `RUNS_MAX = 4`') },
    'a loop that is not described': {
      'src/a.ts': LOOP,
      'src/b.ts': LOOP,
      [DOCUMENT]: documentOf('`src/b.ts` `RUNS_MAX = 4`'),
    },
  },
  kept: {
    'src/a.ts': LOOP,
    'src/b.ts': 'for (let at = 0; at < 3; at += 1) draw();\n',
    'src/platform/local-servers/c.ts': LOOP,
    [DOCUMENT]: documentOf('`src/a.ts` `RUNS_MAX = 4`'),
  },
};
