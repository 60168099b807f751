import { withoutComments } from './code.js';
import { perFile, type ProjectFile, type Rule } from './rule.js';

/** A string right before a function is a title, however the test is called: it, it.each(…), describe.concurrent. */
const TITLE =
  /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)\s*,\s*(?:\{[^{}]*\}\s*,\s*)?(?:async\s*)?(?:\([^()]*(?:\([^()]*\)[^()]*)*\)\s*(?::[^=]*)?=>|function\b|\w+\s*=>)/g;

export const isTest = (path: string): boolean => /^test\/.*\.test\.ts$/.test(path);

/** Titles of groups and tests. */
export function titlesOf(file: ProjectFile): readonly string[] {
  return [...withoutComments(file.text).matchAll(TITLE)].map((match) => (match[1] ?? '').slice(1, -1));
}

export const testNames: Rule = {
  says: 'names tests by what is guaranteed',
  check: perFile(isTest, (file) =>
    titlesOf(file)
      .filter((title) => /\bshould\b/i.test(title))
      .map((title) => `"${title}": say what it does`),
  ),
  broken: {
    'a test': { 'test/unit/a.test.ts': `it('should refuse', async () => {});` },
    'a group': { 'test/unit/a.test.ts': `describe("what a code should be", () => {});` },
    'a table of tests': {
      'test/unit/a.test.ts': 'it.each([[1]])(`should add ${1}`, { timeout: 5 }, async ([x]) => {});',
    },
  },
  kept: {
    'test/unit/a.test.ts': `// it('should', () => {})\nit('refuses', () => { expect('what should be').toBe(1); });`,
  },
};

/** A title that a page quotes behind its file: `a.test.ts`: "refuses". */
const QUOTED = /`([\w-]+\.test\.ts)`: "([^"\n]+)"/g;

function lostTitles(page: ProjectFile, files: readonly ProjectFile[]): readonly string[] {
  return [...page.text.matchAll(QUOTED)]
    .filter(([, name = '', title = '']) => {
      const test = files.find(({ path }) => isTest(path) && path.endsWith(`/${name}`));
      // A table may have the titles of its tests as values.
      const isThere = ["'", '"', '`'].some((quote) => test?.text.includes(`${quote}${title}${quote}`));
      return !isThere;
    })
    .map(([, name, title]) => `${page.path}: ${name} has no test "${title}"`);
}

export const quotedTests: Rule = {
  says: 'quotes tests in its pages by the names that they have',
  check: (files) =>
    files.filter(({ path }) => path.endsWith('.md')).flatMap((page) => lostTitles(page, files)),
  broken: {
    'another name': {
      'docs/a.md': '`a.test.ts`: "refuses"',
      'test/unit/a.test.ts': `it('refuses twice', () => {});`,
    },
    'no such file': {
      'docs/a.md': '`a.test.ts`: "refuses"',
      'test/unit/ba.test.ts': `it('refuses', () => {});`,
    },
  },
  kept: {
    'docs/a.md': '`a.test.ts`: "refuses" and `b.test.ts`: all',
    'test/unit/a.test.ts': `it('refuses', () => {});`,
  },
};
