import { withoutComments } from './code.js';
import { isSource, perFile, type ProjectFile, type Rule } from './rule.js';

const SCRIPT = /^scripts\/lua\/([\w-]+)\.lua$/;
const HEADER = /^--\[\[([\s\S]*?)\]\]/;

interface Indexes {
  readonly named: ReadonlySet<number>;
  /** "KEYS[6…]": from there on the number is the caller's. */
  readonly openFrom: number | null;
}

function indexesIn(header: string, table: string): Indexes {
  const found = [...header.matchAll(new RegExp(String.raw`\b${table}\[(\d+)(…|\.\.+)?\]`, 'g'))];
  const open = found.find((match) => match[2] !== undefined);
  return {
    named: new Set(found.map((match) => Number(match[1]))),
    openFrom: open === undefined ? null : Number(open[1]),
  };
}

/** Where what a script uses is not what its header names, in either direction. */
function indexFindings(header: string, body: string, table: string): readonly string[] {
  const { named, openFrom } = indexesIn(header, table);
  const used = new Set(
    [...body.matchAll(new RegExp(String.raw`\b${table}\[(\d+)\]`, 'g'))].map((m) => Number(m[1])),
  );
  const counted = new RegExp(String.raw`\b${table}\[\s*[^\d\s]|#${table}\b`).test(body);
  const unnamed = [...used].filter((index) => !named.has(index) && !(openFrom !== null && index > openFrom));
  const unused = [...named].filter((index) => !used.has(index) && index !== openFrom);
  return [
    ...unnamed.map((index) => `uses ${table}[${index}], which the header does not name`),
    ...unused.filter(() => !counted).map((index) => `the header names ${table}[${index}], which is not used`),
    ...(counted && openFrom === null
      ? [`counts through ${table}; the header says where with ${table}[n…]`]
      : []),
  ];
}

function headerFindings(file: ProjectFile): readonly string[] {
  const header = HEADER.exec(file.text)?.[1];
  if (header === undefined) return ['begins with no --[[ header ]]'];
  const body = file.text.slice(file.text.indexOf(']]') + 2).replace(/--[^\n]*/g, '');
  const missing = ['KEYS[1', 'ARGV', 'Returns'].filter((word) => !header.includes(word));
  const statuses = [...body.matchAll(/\breturn\s*\{?\s*'([A-Z][A-Z_]+)'/g)].map((match) => match[1] ?? '');
  const unsaid = [...new Set(statuses)].filter(
    (status) => !new RegExp(String.raw`\b${status}\b`).test(header),
  );
  return [
    ...missing.map((word) => `the header has no ${word}`),
    ...indexFindings(header, body, 'KEYS'),
    ...indexFindings(header, body, 'ARGV'),
    ...unsaid.map((status) => `answers ${status}, which the header does not name`),
  ];
}

const script = (keys: string, body: string): Record<string, string> => ({
  'scripts/lua/a.lua': `--[[\n  Does it.\n\n  ${keys}\n  ARGV[1] id\n\n  Returns OK\n]]\n${body}`,
});

export const luaHeaders: Rule = {
  says: 'has Lua scripts whose header says what they take and answer',
  check: perFile((path) => SCRIPT.test(path), headerFindings),
  broken: {
    'no header': { 'scripts/lua/a.lua': `return redis.call('GET', KEYS[1])` },
    'no word of the answer': {
      'scripts/lua/a.lua': '--[[ KEYS[1] code, ARGV[1] id ]]\nreturn KEYS[1] .. ARGV[1]',
    },
    'a key without a name': script('KEYS[1] code', 'return KEYS[1] .. KEYS[2] .. ARGV[1]'),
    'a key without use': script('KEYS[1] code\n  KEYS[2] claims', 'return KEYS[1] .. ARGV[1]'),
    'an argument without a name': script('KEYS[1] code', 'return KEYS[1] .. ARGV[1] .. ARGV[2]'),
    'keys by number': script('KEYS[1] code', 'for i = 1, #KEYS do use(KEYS[i], ARGV[1]) end return KEYS[1]'),
    'an answer without a name': script('KEYS[1] code', `use(KEYS[1], ARGV[1]) return { 'LOAD' }`),
  },
  kept: {
    ...script(
      'KEYS[1] code\n  KEYS[2…] windows',
      `use(KEYS[1], KEYS[tonumber(ARGV[1])]) -- KEYS[9]\nreturn { 'OK' }`,
    ),
    'scripts/lua/lib/a.txt': '',
  },
};

const scriptsRun = (file: ProjectFile): readonly string[] =>
  [...withoutComments(file.text).matchAll(/\bnew RedisScript\([^;]*?'([\w-]+)'/g)].map(
    (match) => match[1] ?? '',
  );

export const luaCalls: Rule = {
  says: 'runs every Lua script, and only those there are',
  check: (files) => {
    const present = files.flatMap((file) => SCRIPT.exec(file.path)?.[1] ?? []);
    const run = files.filter((file) => isSource(file.path)).flatMap(scriptsRun);
    return [
      ...present
        .filter((name) => !run.includes(name))
        .map((name) => `scripts/lua/${name}.lua: nothing runs it`),
      ...run
        .filter((name) => !present.includes(name))
        .map((name) => `scripts/lua/${name}.lua: run, but not there`),
    ];
  },
  broken: {
    'a script that nothing runs': { 'scripts/lua/a.lua': '', 'src/a.ts': `// new RedisScript(redis, 'a')` },
    'a script that is not there': { 'src/a.ts': `const a = new RedisScript(redis, 'a');` },
  },
  kept: {
    'scripts/lua/claim-code.lua': '',
    'src/a.ts': `new RedisScript(\n  this.redis,\n  'claim-code',\n);`,
  },
};
