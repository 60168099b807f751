import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Id } from '../platform/ids.js';
import type { Logger } from '../platform/log.js';
import { asRedisFailure } from '../platform/redis/redis.js';
import type { CodeDigester } from './code-digester.js';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A HASHED batch, and the key under which it was asked for. */
export interface ShownBatch {
  readonly tenantId: string;
  readonly batchId: Id;
  readonly idempotencyKey: string;
}

/**
 * The codes of a HASHED batch for a short time, so that a caller whose answer was lost fetches them once more by the
 * same idempotency key. Redis holds them encrypted. It never holds the key, which is made of the pepper, the tenant,
 * the batch and the idempotency key.
 */
export class ShownCodes {
  constructor(
    private readonly redis: Redis,
    private readonly digester: CodeDigester,
    private readonly ttlS: number,
    private readonly log: Logger,
  ) {}

  /** Before the commit, because the answer may be lost right after it. Without Redis the codes are shown once only. */
  async keep(batch: ShownBatch, codes: readonly string[]): Promise<void> {
    if (this.ttlS === 0) return;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keyOf(batch), nonce);
    const sealed = [cipher.update(codes.join('\n'), 'utf8'), cipher.final()];
    try {
      const value = Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]);
      await this.redis.set(redisKey(batch), value, 'EX', this.ttlS);
    } catch (error) {
      const { tenantId, batchId } = batch;
      this.log.warn({ err: error, tenantId, batchId }, 'the codes of a HASHED batch cannot be fetched again');
    }
  }

  /** Once: the first who asks takes them. @returns null where they were taken before, or the time is over */
  async take(batch: ShownBatch): Promise<string[] | null> {
    const value = await this.removed(batch);
    if (value === null) return null;
    const nonce = value.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, this.keyOf(batch), nonce);
    decipher.setAuthTag(value.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const codes = [decipher.update(value.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()];
    return Buffer.concat(codes).toString('utf8').split('\n');
  }

  private async removed(batch: ShownBatch): Promise<Buffer | null> {
    try {
      return await this.redis.getdelBuffer(redisKey(batch));
    } catch (error) {
      throw asRedisFailure(error);
    }
  }

  /** 32 bytes. No code is digested to the same: a code holds no zero. */
  private keyOf({ tenantId, batchId, idempotencyKey }: ShownBatch): Buffer {
    return Buffer.from(
      this.digester.digest(tenantId, `shown codes\0${batchId}\0${idempotencyKey}`),
      'base64url',
    );
  }
}

function redisKey({ tenantId, batchId }: ShownBatch): string {
  return `{${tenantId}}:shown:${batchId}`;
}
