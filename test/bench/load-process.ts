import type { ChildProcess } from 'node:child_process';
import type { LoadJob, LoadResult } from './load-job.js';
import { nextMessage, startChild } from './server-process.js';

/** The load generator in its own process, so that the server's event loop has only the server's work. */
export class LoadProcess {
  private readonly child: ChildProcess = startChild('load.ts');

  async run(job: LoadJob): Promise<LoadResult> {
    const result = nextMessage(this.child, 'load');
    this.child.send(job);
    return (await result) as LoadResult;
  }

  stop(): void {
    this.child.kill();
  }
}
