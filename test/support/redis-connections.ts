import type { Redis } from '../../src/platform/redis/redis.js';

/** Has Redis cut the connection on which a process listens, as an outage between the two would. */
export async function killListener(redis: Redis, listener: Redis): Promise<void> {
  const port = (listener as unknown as { stream: { localPort: number } }).stream.localPort;
  const list = String(await redis.client('LIST')).split('\n');
  const line = list.find((entry) => entry.includes(`addr=127.0.0.1:${port} `)) ?? '';
  const id = Number(/id=(\d+)/.exec(line)?.[1]);
  await redis.client('KILL', 'ID', id);
}
