import type { ChildProcess } from 'node:child_process';
import type { FloodJob, FloodResult } from './flood-job.js';
import { nextMessage, startChild } from './server-process.js';

/** The process that floods the server beside a measurement. */
export class FloodProcess {
  private readonly child: ChildProcess = startChild('flood.ts');

  /** Floods for as long as the work takes. */
  async during<T>(job: FloodJob, work: () => Promise<T>): Promise<{ result: T; flood: FloodResult }> {
    const started = nextMessage(this.child, 'flood');
    this.child.send(job);
    await started;
    const result = await work();
    const ended = nextMessage(this.child, 'flood');
    this.child.send({ kind: 'STOP' });
    return { result, flood: (await ended) as FloodResult };
  }

  stop(): void {
    this.child.kill();
  }
}
