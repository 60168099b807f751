import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Edit, PlantedBug } from './planted-bugs.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const COPIED = ['src', 'scripts/lua', 'tsconfig.json', 'package.json'];
const run = promisify(execFile);

/** A build of the product with a bug, in a separate folder. */
export interface Mutant {
  /** Its `main.js`. */
  readonly entry: string;
  /** Where its Lua files are. */
  readonly scripts: string;
  remove(): void;
}

/** Copies the sources, plants the bug, and compiles. What ships is never touched. */
export async function buildMutant({ edits }: PlantedBug): Promise<Mutant> {
  const folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-planted-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const name of COPIED) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    for (const edit of edits) {
      const file = path.join(folder, edit.file);
      writeFileSync(file, edited(readFileSync(file, 'utf8'), edit));
    }
    await compile(folder);
    return { entry: path.join(folder, 'dist/main.js'), scripts: path.join(folder, 'scripts/lua'), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** @throws Error unless the text is found exactly once: the source has changed, and the bug must follow it */
export function edited(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, not once: ${find}`);
  return parts.join(replace);
}

/** A bug may leave something unused behind; everything else must still be right, or it would not be a mistake one makes. */
async function compile(folder: string): Promise<void> {
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const lenient = ['--noUnusedLocals', 'false', '--noUnusedParameters', 'false', '--sourceMap', 'false'];
  try {
    await run(process.execPath, [compiler, '-p', path.join(folder, 'tsconfig.json'), ...lenient]);
  } catch (error) {
    throw new Error(`The planted bug does not compile:\n${(error as { stdout?: string }).stdout}`, {
      cause: error,
    });
  }
}
