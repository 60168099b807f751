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

try {
  run(apiPages(buildRedeemkitSchema(), modules.permissionsByModule, readExamples()));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function run(pages: ReadonlyMap<string, string>): void {
  const surplus = namesThere().filter((name) => !pages.has(name));
  const changed = [...pages].filter(([name, text]) => textOf(name) !== text);
  const isCurrent = changed.length + surplus.length === 0;
  if (process.argv.includes('--write')) {
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, text] of changed) writeFileSync(path.join(FOLDER, name), text);
    for (const name of surplus) rmSync(path.join(FOLDER, name));
    console.log(isCurrent ? 'docs/api is up to date.' : 'docs/api is written.');
  } else if (isCurrent) {
    console.log('docs/api shows the schema of the build.');
  } else {
    console.error('docs/api differs from the schema of the build; "npm run api-docs" writes it.');
    for (const name of surplus) console.error(`docs/api/${name} is of no feature.`);
    for (const [name, text] of changed) console.error(differenceIn(name, text));
    process.exitCode = 1;
  }
}

function namesThere(): readonly string[] {
  return existsSync(FOLDER) ? readdirSync(FOLDER) : [];
}

function textOf(name: string): string {
  return namesThere().includes(name) ? readFileSync(path.join(FOLDER, name), 'utf8') : '';
}

/** The first lines of a page that differ. */
function differenceIn(name: string, text: string): string {
  const before = new Set(textOf(name).split('\n'));
  const lines = text.split('\n').filter((line) => !before.has(line));
  return [`\ndocs/api/${name}`, ...lines.slice(0, MOST_SHOWN).map((line) => `+ ${line}`)].join('\n');
}
