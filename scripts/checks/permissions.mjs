/**
 * Compares docs/permissions.md with the table of permissions of the build, and fails if they differ: a change of who may
 * do what shows in the same commit. With --write it writes the file instead.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { printPermissions } from '../../dist/app/permissions-page.js';
import { differenceOf } from './difference.mjs';

const file = new URL('../../docs/permissions.md', import.meta.url);
const built = printPermissions();
const written = existsSync(file) ? readFileSync(file, 'utf8') : '';

if (process.argv.includes('--write')) {
  writeFileSync(file, built);
  console.log(`docs/permissions.md ${built === written ? 'is up to date' : 'is written'}.`);
} else if (built === written) {
  console.log('docs/permissions.md shows the table of the build.');
} else {
  console.error(
    'docs/permissions.md differs from the table of the build; "npm run permissions" writes it.\n',
  );
  console.error(differenceOf(written, built).join('\n'));
  process.exitCode = 1;
}
