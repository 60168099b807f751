import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('documents every refusal of the routes of files', () => {
  const routes = readFileSync('src/codes/files/code-files.routes.ts', 'utf8');
  const docs = readFileSync('docs/files.md', 'utf8');
  const codes = [...routes.matchAll(/refuse\(\s*'([A-Z_]+)'/g)].map(([, code = '']) => code);
  expect(new Set(codes).size).toBeGreaterThanOrEqual(6);
  expect(codes.filter((code) => !docs.includes(`\`${code}\``))).toEqual([]);
});
