import { readdirSync } from 'node:fs';
import { commandLineOf } from '../../src/platform/local-servers/process-identity.js';

/** All processes of this machine. */
export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** The command lines of the processes that name the folder: the servers that were started for it. */
export function processesOn(folder: string): string[] {
  return processIds()
    .map((pid) => commandLineOf(pid))
    .filter((line) => line.includes(folder));
}
