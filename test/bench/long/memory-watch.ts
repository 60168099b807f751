import { readFile } from 'node:fs/promises';
import type { ServerProcess } from '../server-process.js';
import { median, rounded } from '../statistics.js';

/** By how much the memory of a process may grow between the second tenth of a run and the last. */
const GROWTH_MAX = 1.25;

/** What processes hold of the machine's memory over time. */
export class MemoryWatch {
  private readonly servers: readonly ServerProcess[];
  private readonly looks: number[][] = [];

  constructor(servers: readonly ServerProcess[]) {
    this.servers = servers;
  }

  async look(): Promise<void> {
    this.looks.push(await Promise.all(this.servers.map(async ({ pid }) => residentMb(pid))));
  }

  /** @returns the processes that grew beyond the bound */
  faults(say: (line: string) => void): string[] {
    return this.servers.flatMap((_server, at) => {
      const [early, late] = [this.tenth(1, at), this.tenth(9, at)];
      const line = `  memory of process ${at}: ${rounded(early, 0)} MB early, ${rounded(late, 0)} MB at the end`;
      say(line);
      return late / early > GROWTH_MAX ? [line.trim()] : [];
    });
  }

  private tenth(no: number, at: number): number {
    const { length } = this.looks;
    const part = this.looks.slice(Math.floor((length * no) / 10), Math.ceil((length * (no + 1)) / 10));
    return median(part.map((look) => look[at] ?? Number.NaN));
  }
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
