import type { ProjectFile, Rule } from './rule.js';

const DOCUMENT = 'docs/data.md';

function undescribed(files: readonly ProjectFile[]): readonly string[] {
  const text = files.find(({ path }) => path === DOCUMENT)?.text ?? '';
  return files
    .filter(({ path }) => path.endsWith('.entity.ts'))
    .flatMap((file) => [...file.text.matchAll(/\btableName: '(\w+)'/g)].map(([, table = '']) => table))
    .filter((table) => !text.includes(`\`${table}\``))
    .map((table) => `${DOCUMENT}: says nothing of the table ${table}`);
}

const entityOf = (table: string): string => `defineEntity({ tableName: '${table}' });\n`;

export const tablesDocument: Rule = {
  says: 'describes every table in docs/data.md',
  check: undescribed,
  broken: {
    'no document': { 'src/a.entity.ts': entityOf('code') },
    'a table that is not described': {
      'src/a.entity.ts': entityOf('code') + entityOf('code_part'),
      [DOCUMENT]: '| `code` |\n',
    },
  },
  kept: {
    'src/a.entity.ts': entityOf('code') + entityOf('code_part'),
    'src/b.ts': entityOf('other'),
    [DOCUMENT]: '| `code`, `code_part` |\n',
  },
};
