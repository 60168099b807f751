import { codeKeys } from '../../codes/code-copy.service.js';
import type { CodeFence, FencedCode } from '../../codes/code-redigest.service.js';
import type { Redis } from '../../platform/redis/redis.js';
import { RedisScript } from '../../platform/redis/script.js';
import { keys } from './redemption.redis.js';

/** Longer than a transaction that changes a few digests; a fence that could not be lowered stands no longer. */
const FENCE_MS = 5000;
/** Longer than any load takes. */
const FLOOR_MS = 60_000;

/** Keeps codes from being claimed while their digests change. */
export class CodeFenceRedis implements CodeFence {
  private readonly raiseScript: RedisScript;
  private readonly lowerScript: RedisScript;

  constructor(redis: Redis) {
    this.lowerScript = new RedisScript(redis, 'lower-fences');
    this.raiseScript = new RedisScript(redis, 'fence-codes', 'at once');
  }

  async raise(tenantId: string, codes: readonly FencedCode[], owner: string): Promise<boolean[]> {
    if (codes.length === 0) return [];
    const scriptKeys = codes.flatMap(({ digest }) => [
      codeKeys.copy(tenantId, digest),
      keys.claims(tenantId, digest),
    ]);
    const versions = codes.map(({ version }) => version);
    const fenced = (await this.raiseScript.run(scriptKeys, [FENCE_MS, owner, ...versions])) as number[];
    return fenced.map((answer) => answer === 1);
  }

  async lower(tenantId: string, codes: readonly FencedCode[], owner: string): Promise<void> {
    if (codes.length === 0) return;
    const scriptKeys = codes.map(({ digest }) => codeKeys.copy(tenantId, digest));
    const versions = codes.map(({ version }) => version - 1);
    await this.lowerScript.run(scriptKeys, [FLOOR_MS, owner, ...versions]);
  }
}
