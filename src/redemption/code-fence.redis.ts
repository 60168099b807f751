import type { Redis } from 'ioredis';
import { codeKeys } from '../codes/code-copy.service.js';
import type { CodeFence, FencedCode } from '../codes/code-redigest.service.js';
import { RedisScript } from '../platform/redis/script.js';
import { keys } from './redemption.redis.js';

/** Longer than a transaction that changes a few digests; a fence whose transaction failed stands no longer. */
const FENCE_MS = 5000;

/** Keeps codes from being claimed while their digests change. */
export class CodeFenceRedis implements CodeFence {
  private readonly script: RedisScript;

  constructor(redis: Redis) {
    this.script = new RedisScript(redis, 'fence-codes', 'at once');
  }

  async raise(tenantId: string, codes: readonly FencedCode[]): Promise<boolean[]> {
    if (codes.length === 0) return [];
    const scriptKeys = codes.flatMap(({ digest }) => [
      codeKeys.copy(tenantId, digest),
      keys.claims(tenantId, digest),
    ]);
    const versions = codes.map(({ version }) => version);
    const fenced = (await this.script.run(scriptKeys, [FENCE_MS, ...versions])) as number[];
    return fenced.map((answer) => answer === 1);
  }
}
