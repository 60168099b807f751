/**
 * Runs several npm scripts, all of them even when one fails, so that a wrong format never hides the result of the tests.
 * Fails if any of them failed, and says at the end which. They run one after another; those joined by + run at the same
 * time, and all but the first of them say what they have to say when they have ended.
 *
 *   node scripts/checks/run.mjs check:format check:lint+check:types
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const failed = [];

async function run(name, isFirst) {
  const began = performance.now();
  if (isFirst) console.log(`\n==> ${name}`);
  const output = isFirst ? 'inherit' : 'pipe';
  const child = spawn('sh', ['-c', `npm run --silent ${name} 2>&1`], {
    stdio: ['inherit', output, 'inherit'],
  });
  const said = isFirst ? '' : text(child.stdout);
  const [status] = await once(child, 'close');
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (!isFirst) console.log(`\n==> ${name}\n${(await said).trimEnd()}`);
  console.log(`<== ${name}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}

const groups = process.argv.slice(2);
for (const group of groups)
  await Promise.all(group.split('+').map(async (name, index) => run(name, index === 0)));
const names = groups.flatMap((group) => group.split('+'));
console.log(failed.length === 0 ? `\nAll passed: ${names.join(', ')}` : `\nFailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
