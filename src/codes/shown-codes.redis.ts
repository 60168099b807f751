import { randomUUID } from 'node:crypto';
import type { Id } from '../platform/ids.js';
import type { Logger } from '../platform/observability/log.js';
import { answered, type Redis } from '../platform/redis/redis.js';
import { RedisScript } from '../platform/redis/script.js';
import type { CodeDigester } from './code-digester.js';
import { seal, unseal } from '../platform/sealed-bytes.js';

/** Longer than a command may be repeated after its reply was lost. */
const TAKER_MS = 60_000;

/** A HASHED batch, and the key under which it was asked for. */
export interface ShownBatch {
  readonly tenantId: string;
  readonly batchId: Id;
  readonly idempotencyKey: string;
}

/**
 * The codes of a HASHED batch for a short time, so that a caller whose answer was lost fetches them once more by the
 * same idempotency key. Redis holds them encrypted. It never holds the key, which is made of the batch's pepper, the
 * tenant, the batch and the idempotency key.
 */
export class ShownCodes {
  private readonly takeScript: RedisScript;

  constructor(
    private readonly redis: Redis,
    private readonly digester: CodeDigester,
    private readonly ttlS: number,
    private readonly log: Logger,
  ) {
    this.takeScript = new RedisScript(redis, 'take-shown-codes');
  }

  /**
   * Before the commit, because the answer may be lost right after it. Without Redis the codes are shown once only.
   * @param keyId of the codes' own pepper: every process has it configured as long as the codes are there
   */
  async keep(batch: ShownBatch, codes: readonly string[], keyId: number): Promise<void> {
    if (this.ttlS === 0) return;
    const key = this.digester.digest(batch.tenantId, secretOf(batch), keyId);
    try {
      await this.redis.set(redisKey(batch), seal(codes.join('\n'), key), 'EX', this.ttlS);
    } catch (error) {
      const { tenantId, batchId } = batch;
      this.log.warn({ err: error, tenantId, batchId }, 'the codes of a HASHED batch cannot be fetched again');
    }
  }

  /**
   * Once: of several callers one takes them. They are deleted only when they are decrypted, so that a process without
   * their pepper leaves them to another one.
   * @returns null where they were taken before, or the time is over, or no configured pepper decrypts them
   */
  async take(batch: ShownBatch): Promise<string[] | null> {
    const sealed = await answered(this.redis.getBuffer(redisKey(batch)));
    if (sealed === null) return null;
    const codes = this.opened(batch, sealed);
    if (codes === null) {
      const { tenantId, batchId } = batch;
      this.log.warn({ tenantId, batchId }, 'no configured pepper decrypts the codes of a HASHED batch');
      return null;
    }
    return (await this.isTaken(batch)) ? codes : null;
  }

  private opened(batch: ShownBatch, sealed: Buffer): string[] | null {
    for (const digest of this.digester.digests(batch.tenantId, secretOf(batch))) {
      const text = unseal(sealed, digest);
      if (text !== null) return text.toString().split('\n');
    }
    return null;
  }

  /** @returns whether this call is the one that takes them */
  private async isTaken(batch: ShownBatch): Promise<boolean> {
    const key = redisKey(batch);
    return (await this.takeScript.run([key, `${key}:taker`], [randomUUID(), TAKER_MS])) === 1;
  }
}

/** No code has the same digest: a code holds no zero. */
function secretOf({ batchId, idempotencyKey }: ShownBatch): string {
  return `shown codes\0${batchId}\0${idempotencyKey}`;
}

function redisKey({ tenantId, batchId }: ShownBatch): string {
  return `{${tenantId}}:shown:${batchId}`;
}
