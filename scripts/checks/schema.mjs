/**
 * Compares schema.graphql with the schema of the build, and fails if they differ, so that a change of the API shows
 * in its commit. With --write it writes the file instead.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { buildRedeemkitSchema, printSortedSchema } from '../../dist/app/schema.js';
import { differenceOf } from './difference.mjs';

const file = new URL('../../schema.graphql', import.meta.url);
const built = `${printSortedSchema(buildRedeemkitSchema()).trimEnd()}\n`;
const written = existsSync(file) ? readFileSync(file, 'utf8') : '';

if (process.argv.includes('--write')) {
  writeFileSync(file, built);
  console.log(`schema.graphql ${built === written ? 'is as it was' : 'is written'}.`);
} else if (built === written) {
  console.log('schema.graphql is the schema of the build.');
} else {
  console.error('schema.graphql differs from the schema of the build; "npm run schema" writes it.\n');
  console.error(differenceOf(written, built).join('\n'));
  process.exitCode = 1;
}
