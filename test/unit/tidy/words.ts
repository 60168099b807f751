import { linesWith, withoutComments } from './code.js';
import { isCode, isSource, perFile, word, type Rule } from './rule.js';

interface BannedWord {
  readonly pattern: RegExp;
  readonly allowedIn: RegExp;
  readonly instead: string;
}

const NOWHERE = /^$/;

const BANNED_WORDS: readonly BannedWord[] = [
  {
    pattern: /\bprocess\.env\b/,
    allowedIn: /^src\/config\.ts$/,
    instead: 'the environment is read in config.ts',
  },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/,
    allowedIn: /^src\/platform\/clock\.ts$/,
    instead: 'take a Clock',
  },
  { pattern: /\bparseFloat\b/, allowedIn: NOWHERE, instead: 'money is a Decimal, counts are Number(text)' },
  // Random delays are fine; whatever is secret or unique comes from node:crypto.
  { pattern: /\bMath\.random\b/, allowedIn: /^src\/platform\//, instead: 'use node:crypto' },
  // A path such as './console.module.js' is none.
  { pattern: /(?<!\/)\bconsole\.\w/, allowedIn: NOWHERE, instead: 'use the log' },
];

export const bannedWords: Rule = {
  says: 'asks the environment, the clock and chance at one door each',
  check: perFile(isSource, (file) => {
    const code = withoutComments(file.text);
    return BANNED_WORDS.filter((banned) => !banned.allowedIn.test(file.path)).flatMap((banned) =>
      linesWith(code, banned.pattern).map((line) => `line ${line}: ${banned.instead}`),
    );
  }),
  broken: {
    'the environment': { 'src/app/modules.ts': `const url = process.env['DATABASE_URL'];` },
    'the clock': { 'src/codes/a.ts': 'const now = Date.now();' },
    'the clock by a date': { 'src/codes/a.ts': 'const now = new Date();' },
    'a float': { 'src/money/a.ts': `const fee = Number.parseFloat('0.1');` },
    chance: { 'src/codes/a.ts': 'const digit = Math.random();' },
    'the console': { 'src/app/modules.ts': `const url = 'http://x'; console.log(url);` },
  },
  kept: {
    'src/config.ts': 'export const environment = process.env;',
    'src/app/modules.ts': `import { x } from '../console/console.module.js';`,
    'src/platform/clock.ts': 'export const now = () => Date.now();',
    'src/codes/a.ts': '/* Date.now() is\n never called */ const at = new Date(5); // nor parseFloat',
  },
};

const [TO_DO, FIX_ME, CROSSES] = [word('TO', 'DO'), word('FIX', 'ME'), word('XX', 'X')];
const [ONLY, SKIP] = [word('on', 'ly'), word('sk', 'ip')];
const UNFINISHED = new RegExp(String.raw`\b(?:${TO_DO}|${FIX_ME}|${CROSSES})\b`);
const SKIPPED = new RegExp(
  String.raw`\b(?:describe|it|test)(?:\.\w+)*\.(?:${ONLY}|${SKIP}|todo)\b|\bx(?:it|describe)\(`,
);

export const leftOvers: Rule = {
  says: 'leaves nothing unfinished or skipped',
  check: perFile(
    (path) => isCode(path) || path.endsWith('.lua'),
    (file) => [
      ...linesWith(file.text, UNFINISHED).map((line) => `line ${line}: finish it, or say why it is so`),
      ...linesWith(withoutComments(file.text), SKIPPED).map((line) => `line ${line}: every test runs`),
    ],
  ),
  broken: {
    'a note to oneself': { 'src/a.ts': `// ${TO_DO}: later` },
    'a note in a script': { 'scripts/lua/a.lua': `-- ${FIX_ME}` },
    'one test alone': { 'test/unit/a.test.ts': `it.${ONLY}('runs', () => {});` },
    'a skipped test': { 'test/unit/a.test.ts': `describe.concurrent.${SKIP}('runs', () => {});` },
  },
  kept: {
    'src/a.ts': 'const todos = list.skip(3);',
    'test/unit/a.test.ts': `it('skips what is only read', () => {});`,
  },
};
