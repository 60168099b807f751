/**
 * Runs several npm scripts one after another, all of them even when one fails, so that a wrong format never hides the
 * result of the tests. Fails if any of them failed, and says at the end which.
 *
 *   node scripts/checks/run.mjs check:format check:lint
 */
import { spawnSync } from 'node:child_process';

const names = process.argv.slice(2);
const failed = [];
for (const name of names) {
  const began = performance.now();
  console.log(`\n==> ${name}`);
  const { status } = spawnSync('npm', ['run', '--silent', name], { stdio: 'inherit' });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`<== ${name}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 ? `\nAll passed: ${names.join(', ')}` : `\nFailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
