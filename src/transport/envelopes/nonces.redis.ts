import { randomBytes } from 'node:crypto';
import type { Redis } from '../../platform/redis/redis.js';
import { RedisScript } from '../../platform/redis/script.js';

/** How far the clock of a client may differ from Redis'. */
const ENVELOPE_WINDOW_MS = 300_000;
/** A nonce is kept longer than its envelope is valid, for a clock that is set back. */
const MARGIN_MS = 60_000;
const ATTEMPT_BYTES = 12;

export interface SealedAt {
  readonly nonce: string;
  /** By the clock of the client. */
  readonly sealedMs: number;
  readonly epoch: string;
}

export interface Admission {
  readonly status: 'ADMITTED' | 'ENVELOPE_EXPIRED' | 'ENVELOPE_REPLAYED';
  readonly nowMs: number;
  /** For which envelopes have to be sealed now. */
  readonly epoch: string;
}

/** Which envelopes were used, on all processes. */
export class EnvelopeNonces {
  private readonly script: RedisScript;

  constructor(redis: Redis) {
    this.script = new RedisScript(redis, 'admit-envelope');
  }

  /** @throws StoreUnavailableError when Redis does not answer: then nothing is known to be new. */
  async admit(tenantId: string, { nonce, sealedMs, epoch }: SealedAt): Promise<Admission> {
    const attempt = randomBytes(ATTEMPT_BYTES).toString('base64url');
    const keys = [`{${tenantId}}:envelope-epoch`, `{${tenantId}}:envelope:${nonce}`];
    const reply = await this.script.run(keys, [attempt, sealedMs, epoch, ENVELOPE_WINDOW_MS, MARGIN_MS]);
    const [status, nowMs, current] = reply as [Admission['status'], number, string];
    return { status, nowMs, epoch: current };
  }
}
