import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProjectFile } from './rule.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What is made on a machine and never handed in. */
const NOT_OURS = new Set(['.git', '.data', 'node_modules', 'dist', 'coverage']);

/**
 * Every file of the project; pictures have no text. The folder is read, not the index: a rule binds before the commit,
 * not after it.
 */
export function readProject(): readonly ProjectFile[] {
  return filesUnder('').map((file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    return { path: file, text: text.includes('\0') ? '' : text };
  });
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (NOT_OURS.has(entry.name) || isPrivate(entry.name)) return [];
    if (entry.isDirectory()) return filesUnder(file);
    return entry.isFile() ? [file] : [];
  });
}

/** Settings and logs of one machine, and what is made from other files, as .gitignore has them. */
function isPrivate(name: string): boolean {
  return (
    name.endsWith('.log') ||
    name.endsWith('.gql.ts') ||
    (/^\.env(?:\.|$)/.test(name) && name !== '.env.example')
  );
}
