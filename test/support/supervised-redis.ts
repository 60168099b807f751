import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startPrivateRedis } from '../../src/platform/local-servers/private-redis.js';
import type { PrivateServer } from '../../src/platform/local-servers/private-server.js';

export type SupervisedRedis = Pick<PrivateServer, 'url' | 'kill' | 'stop'>;

/** A Redis of one test file that restarts after a crash, as the one of `npm start` does. */
export async function startSupervisedRedis(): Promise<SupervisedRedis> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-redis-'));
  const { url, kill, stop } = await startPrivateRedis({ dataDir, durable: false, log: () => undefined });
  return {
    url,
    kill,
    stop: async () => {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
