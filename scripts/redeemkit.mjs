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
import { buildIsCurrent } from './bootstrap/build.mjs';
import { findNode } from './bootstrap/node.mjs';

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

if (!existsSync(program)) {
  refuse(`Redeemkit is not built yet: run \`npm start\` or \`npm run build\` in ${root} first.`);
}
// An image holds no sources, and what is built there is what there is.
if (existsSync(path.join(root, 'src')) && !buildIsCurrent(root)) {
  process.stderr.write('The sources have changed since the build: `npm run build` makes a new one.\n');
}
try {
  const node = findNode(root);
  if (node === process.execPath) await import(pathToFileURL(program).href);
  else runOn(node);
} catch (error) {
  refuse(error.message);
}
