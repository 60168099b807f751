import { resultWithin } from '../platform/timeout.js';
import type { Claim } from './claim.js';
import type { RedemptionRedis } from './redemption.redis.js';

/** The first look at claims of other processes; each further pause is twice as long, up to the last. */
const LOOK_FIRST_MS = 5;
const LOOK_LAST_MS = 200;

/**
 * Attempts that wait for uses which open claims hold. However many wait, a process looks at a code once at a time:
 * when it has closed a claim of the code itself, and else with growing pauses, because claims may be another process'.
 */
export class HeldUses {
  private readonly waits = new Map<string, SharedWait>();

  constructor(
    private readonly redis: Pick<RedemptionRedis, 'areUsesHeld'>,
    /** How long an attempt waits at most. */
    readonly waitMs: number,
  ) {}

  /**
   * Waits until a further claim of the code is worth a try: a use came free, or all are spent.
   * @returns whether that was so in time
   */
  async settled(tenantId: string, digest: string, untilMs: number): Promise<boolean> {
    const remainingMs = untilMs - performance.now();
    if (remainingMs <= 0) return false;
    const key = keyOf(tenantId, digest);
    let wait = this.waits.get(key);
    if (wait === undefined) {
      wait = new SharedWait(this.waitMs, async () => this.redis.areUsesHeld(tenantId, digest));
      this.waits.set(key, wait);
      void wait.ended.finally(() => this.waits.delete(key)).catch(() => undefined);
    }
    return (await resultWithin(remainingMs, wait.ended)) ?? false;
  }

  /** These claims are closed, in Redis too. */
  closed(tenantId: string, claims: readonly Claim[]): void {
    if (this.waits.size === 0) return;
    for (const { digest } of claims) this.waits.get(keyOf(tenantId, digest))?.lookNow();
  }
}

class SharedWait {
  /** Whether uses were settled, or it took too long. Fails when Redis does not answer. */
  readonly ended: Promise<boolean>;
  private nudged = Promise.withResolvers<null>();

  constructor(waitMs: number, areHeld: () => Promise<boolean>) {
    this.ended = this.watch(performance.now() + waitMs, areHeld);
  }

  lookNow(): void {
    this.nudged.resolve(null);
  }

  private async watch(untilMs: number, areHeld: () => Promise<boolean>): Promise<boolean> {
    for (
      let pauseMs = LOOK_FIRST_MS;
      performance.now() < untilMs;
      pauseMs = Math.min(pauseMs * 2, LOOK_LAST_MS)
    ) {
      await resultWithin(Math.min(pauseMs, untilMs - performance.now()), this.nudged.promise);
      this.nudged = Promise.withResolvers<null>();
      if (!(await areHeld())) return true;
    }
    return false;
  }
}

function keyOf(tenantId: string, digest: string): string {
  return `${tenantId}|${digest}`;
}
