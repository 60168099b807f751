#!/usr/bin/env node
/**
 * The program's command line, as `npx redeemkit …` finds it: the built one, on a Node that can run it. It is plain
 * Node 18 without a dependency, because that may be what starts it. It builds nothing and says nothing on standard
 * output, which belongs to the command.
 */
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const WRONG_PLACE = 1;
const root = path.resolve(path.dirname(realpathSync(fileURLToPath(import.meta.url))), '..');
const program = path.join(root, 'dist', 'cli.js');

/** One line that a person can act on. */
function refuse(text) {
  process.stderr.write(`${text.replaceAll('\n', ' ')}\n`);
  process.exit(WRONG_PLACE);
}

/** A signal from the terminal reaches the program by itself; one that was sent to this process is passed on. */
function runOn(node) {
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.once('error', (error) => refuse(`${node} could not be started: ${error.message}`));
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

async function runHere() {
  await import(pathToFileURL(program).href);
}

async function runInCheckout() {
  const { buildIsCurrent } = await import('./bootstrap/build.mjs');
  const { findNode } = await import('./bootstrap/node.mjs');
  if (!buildIsCurrent(root)) {
    process.stderr.write('The sources have changed since the build: `npm run build` makes a new one.\n');
  }
  const node = findNode(root);
  if (node === process.execPath) await runHere();
  else runOn(node);
}

if (!existsSync(program)) {
  refuse(`Redeemkit is not built yet: run \`npm start\` or \`npm run build\` in ${root} first.`);
}
try {
  // An image holds no sources and no bootstrap: what is built there is what there is, and its Node is the right one.
  if (existsSync(path.join(root, 'src'))) await runInCheckout();
  else await runHere();
} catch (error) {
  refuse(error.message);
}
