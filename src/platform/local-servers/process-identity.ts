import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isErrno } from './files.js';

/** A process that cannot be confused with a later one of the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** Undefined when there is no such process, or only its unreaped remains. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === 'linux' ? startFromProc(pid) : fromPs(pid, 'lstart=');
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isSameProcessAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** The command line with its arguments separated by spaces; empty when the process is gone. */
export function commandLineOf(pid: number): string {
  if (process.platform !== 'linux') return fromPs(pid, 'args=') ?? '';
  return (readProc(pid, 'cmdline') ?? '').split('\0').join(' ').trim();
}

/** Sends a signal; false when the process has gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

function startFromProc(pid: number): string | undefined {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // The program's name may hold spaces and brackets, so fields are counted after its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
}

function fromPs(pid: number, column: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', column, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    // ps leaves with 1 when there is no such process; without ps itself the process cannot be identified.
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined;
    throw error;
  }
}
