/**
 * Runs several npm scripts, all of them even when one fails, so that a wrong format never hides the result of the tests.
 * Fails if any of them failed, and says at the end which. They run one after another; those joined by + run at the same
 * time, and all but the first of them say what they have to say when they have ended.
 *
 * The text of a script is run, not npm: what its `pre` script makes is made once, by that of the caller.
 *
 *   node scripts/checks/run.mjs check:format check:lint+check:types
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const PATH = [path.join(root, 'node_modules', '.bin'), process.env.PATH].join(path.delimiter);
const failed = [];

async function run(name, isFirst) {
  const began = performance.now();
  if (isFirst) console.log(`\n==> ${name}`);
  const output = isFirst ? 'inherit' : 'pipe';
  const child = spawn('sh', ['-c', `{ ${scripts[name]}; } 2>&1`], {
    cwd: root,
    env: { ...process.env, PATH },
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
const names = groups.flatMap((group) => group.split('+'));
const unknown = names.filter((name) => scripts[name] === undefined);
if (unknown.length > 0) throw new Error(`package.json has no script ${unknown.join(', ')}.`);
for (const group of groups)
  await Promise.all(group.split('+').map(async (name, index) => run(name, index === 0)));
console.log(failed.length === 0 ? `\nAll passed: ${names.join(', ')}` : `\nFailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
