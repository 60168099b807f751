import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ServerProcess } from './server-process.js';

/** Linux counts the time of other processes in hundredths of a second. */
const TICK_MS = 10;

/** Processor time in milliseconds since each process started; NaN where the system does not tell. */
export interface ProcessorTimes {
  readonly server: number;
  readonly database: number;
  readonly redis: number;
}

export async function processorTimes(
  servers: readonly ServerProcess[],
  dataDir: string,
): Promise<ProcessorTimes> {
  let server = 0;
  for (const each of servers) server += await each.cpuMs();
  const [database, redis] = await Promise.all([ofPrivate(dataDir, 'mariadb'), ofPrivate(dataDir, 'redis')]);
  return { server, database, redis };
}

/** Processor time per request between two readings, in microseconds. */
export function perRequestUs(
  before: ProcessorTimes,
  after: ProcessorTimes,
  requests: number,
): ProcessorTimes {
  const each = (name: keyof ProcessorTimes): number => ((after[name] - before[name]) / requests) * 1000;
  return { server: each('server'), database: each('database'), redis: each('redis') };
}

async function ofPrivate(dataDir: string, name: 'mariadb' | 'redis'): Promise<number> {
  try {
    const { pid } = JSON.parse(await readFile(path.join(dataDir, 'run', `${name}.json`), 'utf8')) as {
      pid: number;
    };
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; the fields are counted from behind it, and time is the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return Number.NaN;
  }
}
