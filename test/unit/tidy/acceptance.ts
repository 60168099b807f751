import { isTest, titlesOf } from './test-names.js';
import type { ProjectFile, Rule } from './rule.js';

/** First and last number of each run of rows, so that this list itself names none. */
const ROWS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  S0: [[1, 19]],
  S1: [
    [1, 7],
    [11, 14],
  ],
  S2: [[1, 13]],
  S3: [[1, 14]],
  S4: [[1, 22]],
  X: [
    [1, 9],
    [11, 13],
    [15, 23],
    [25, 26],
  ],
};

const rows = Object.entries(ROWS).flatMap(([section, runs]) =>
  runs.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => `${section}.${first + index}`),
  ),
);

const names = (title: string, row: string): boolean =>
  new RegExp(String.raw`(?<![\w.])${row.replace('.', String.raw`\.`)}(?![\d.]*\d)`).test(title);

function unproved(files: readonly ProjectFile[]): readonly string[] {
  const titles = files.filter((file) => isTest(file.path)).flatMap(titlesOf);
  return rows
    .filter((row) => !titles.some((title) => names(title, row)))
    .map((row) => `${row}: no test names it`);
}

const allTests = rows.map((row) => `it('${row} holds', () => {});`);
const testsWithout = (row: string): Record<string, string> => ({
  'test/e2e/a.test.ts': allTests.filter((line) => !line.includes(`'${row} `)).join('\n'),
});

export const acceptance: Rule = {
  says: 'has a test that names each row of acceptance',
  check: unproved,
  broken: {
    'a row of which a longer one is there': testsWithout(rows[0] ?? ''),
    'the last row': testsWithout(rows.at(-1) ?? ''),
    'a row in a comment': {
      'test/e2e/a.test.ts': allTests.map((line, index) => (index === 0 ? `// ${line}` : line)).join('\n'),
    },
    'a row in a helper': {
      ...testsWithout(rows.at(-1) ?? ''),
      'test/support/a.ts': allTests.join('\n'),
    },
  },
  kept: { 'test/e2e/a.test.ts': allTests.join('\n') },
};
