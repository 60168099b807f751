/**
 * Compares docs/api with the reference that is made from the schema of the build, its table of permissions and the
 * examples, and fails if they differ. With --write it writes the pages instead.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { modules } from '../../src/app/modules.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import { readExamples } from './examples.js';
import { apiPages } from './pages.js';

const FOLDER = fileURLToPath(new URL('../../docs/api/', import.meta.url));
const MOST_SHOWN = 20;

const pages = apiPages(buildRedeemkitSchema(), modules.permissionsByModule, readExamples());
const there = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
const surplus = there.filter((name) => !pages.has(name));
const textOf = (name: string): string =>
  there.includes(name) ? readFileSync(path.join(FOLDER, name), 'utf8') : '';
const changed = [...pages].filter(([name, text]) => textOf(name) !== text);

if (process.argv.includes('--write')) {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of changed) writeFileSync(path.join(FOLDER, name), text);
  for (const name of surplus) rmSync(path.join(FOLDER, name));
  console.log(changed.length + surplus.length === 0 ? 'docs/api is up to date.' : 'docs/api is written.');
} else if (changed.length + surplus.length === 0) {
  console.log('docs/api shows the schema of the build.');
} else {
  console.error('docs/api differs from the schema of the build; "npm run api-docs" writes it.');
  for (const name of surplus) console.error(`docs/api/${name} is of no feature.`);
  for (const [name, text] of changed) console.error(differenceIn(name, text));
  process.exitCode = 1;
}

/** The first lines of a page that differ. */
function differenceIn(name: string, text: string): string {
  const before = new Set(textOf(name).split('\n'));
  const lines = text.split('\n').filter((line) => !before.has(line));
  return [`\ndocs/api/${name}`, ...lines.slice(0, MOST_SHOWN).map((line) => `+ ${line}`)].join('\n');
}
