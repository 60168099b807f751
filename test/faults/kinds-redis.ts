import { readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from '../../src/platform/redis/redis.js';
import type { Kind, Scene } from './kind.js';
import { lostWith } from './kinds-stores.js';
import type { Stage } from './stage.js';
import { logFolder } from './redis-log.js';
import { withRedis } from './direct-redis.js';

export const emptied: Kind = {
  name: 'REDIS_EMPTIED',
  senseless: {},
  makesRedisForget: true,
  happen: async (scene) => {
    await onRedis(scene, async (redis) => {
      const keys = await redis.dbsize();
      await redis.flushall();
      scene.prove(`${keys} keys were dropped`);
    });
    return 'PASS';
  },
};

export const scriptsForgotten: Kind = {
  name: 'SCRIPT_FLUSH',
  senseless: {},
  happen: async (scene) => {
    await onRedis(scene, async (redis) => {
      scene.prove(`SCRIPT FLUSH was answered ${String(await redis.script('FLUSH'))}`);
    });
    return 'PASS';
  },
};

export const outOfMemory: Kind = {
  name: 'REDIS_FULL',
  senseless: {},
  happen: async (scene) => {
    await onRedis(scene, async (redis) => {
      await redis.config('SET', 'maxmemory', '1');
      const refused = await redis.set('full', '1').catch((error: unknown) => String(error));
      if (!refused?.includes('OOM')) throw new Error(`Redis still took a key: ${refused}.`);
      scene.prove(`Redis refused a key: ${refused}`);
    });
    const outageMs = scene.random.between(300, 1500);
    scene.afterwards(async () => {
      await pause(outageMs);
      await onRedis(scene, async (redis) => redis.config('SET', 'maxmemory', '0'));
    });
    return 'PASS';
  },
};

const TAIL_MAX_BYTES = 20_000;

export const tailLost: Kind = {
  name: 'AOF_TAIL_CUT',
  senseless: {},
  makesRedisForget: true,
  happen: async (scene) => {
    const { redis } = scene.stage.stores;
    await redis.kill();
    const file = newestLog(redis.dataDir);
    const { size } = statSync(file);
    const cut = Math.min(size, scene.random.between(1, TAIL_MAX_BYTES));
    truncateSync(file, size - cut);
    await redis.start();
    scene.prove(`${cut} of ${size} bytes were cut off the log`);
    return lostWith('redis', scene);
  },
};

/** The part of the log that is being written. */
function newestLog(dataDir: string): string {
  const parts = readdirSync(logFolder(dataDir)).filter((name) => name.endsWith('.incr.aof'));
  const [newest] = parts.toSorted((a, b) => numberOf(b) - numberOf(a));
  if (newest === undefined) throw new Error(`There is no log in ${dataDir}.`);
  return path.join(logFolder(dataDir), newest);
}

const numberOf = (name: string): number => Number(/\.(\d+)\.incr/.exec(name)?.[1] ?? 0);

async function onRedis<T>(scene: Pick<Scene, 'stage'>, work: (redis: Redis) => Promise<T>): Promise<T> {
  return withRedis(urlOf(scene.stage), work);
}

const urlOf = (stage: Stage): string => stage.stores.redis.url;
