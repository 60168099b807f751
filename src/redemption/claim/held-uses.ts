import { resultWithin } from '../../platform/scheduling/timeout.js';
import type { Claim } from './claim.js';
import type { RedemptionRedis } from './redemption.redis.js';

/** The first look at claims of other processes; each further pause is twice as long, up to the last. */
const LOOK_FIRST_MS = 5;
const LOOK_LAST_MS = 50;

/**
 * Attempts that wait for uses which open claims hold. However many wait, a process looks at a code once at a time:
 * when it has closed a claim of the code itself, and else with growing pauses, because claims may be another process'.
 */
export class HeldUses {
  private readonly watches = new Map<string, CodeWatch>();

  constructor(
    private readonly redis: Pick<RedemptionRedis, 'areUsesHeld'>,
    /** How long an attempt waits at most. */
    readonly waitMs: number,
  ) {}

  /**
   * Waits until a further claim of the code is worth a try: a use came free, or all are spent.
   * @param untilMs of this attempt; others that wait for the same code have their own
   * @returns whether that was so in time
   */
  async settled(tenantId: string, digest: string, untilMs: number): Promise<boolean> {
    const remainingMs = untilMs - performance.now();
    if (remainingMs <= 0) return false;
    const key = keyOf(tenantId, digest);
    let watch = this.watches.get(key);
    if (watch === undefined) {
      watch = new CodeWatch(
        async () => this.redis.areUsesHeld(tenantId, digest),
        () => this.watches.delete(key),
      );
      this.watches.set(key, watch);
    }
    return (await resultWithin(remainingMs, watch.settledBefore(untilMs))) ?? false;
  }

  /** These claims are closed, in Redis too. */
  closed(tenantId: string, claims: readonly Claim[]): void {
    if (this.watches.size === 0) return;
    for (const { digest } of claims) this.watches.get(keyOf(tenantId, digest))?.lookNow();
  }
}

/** Looks at one code until its uses are settled, or the last attempt that waits for them has waited long enough. */
class CodeWatch {
  private untilMs = 0;
  private nudged = Promise.withResolvers<null>();
  private watching: Promise<boolean> | null = null;

  constructor(
    private readonly areHeld: () => Promise<boolean>,
    /** Called at once at the end, so that no attempt comes to a watch that is over. */
    private readonly onEnd: () => void,
  ) {}

  /** Goes on until then at least. Fails when Redis does not answer. */
  async settledBefore(untilMs: number): Promise<boolean> {
    this.untilMs = Math.max(this.untilMs, untilMs);
    this.watching ??= this.watch();
    return this.watching;
  }

  lookNow(): void {
    this.nudged.resolve(null);
  }

  private async watch(): Promise<boolean> {
    try {
      for (let pauseMs = LOOK_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_LAST_MS)) {
        const leftMs = this.untilMs - performance.now();
        if (leftMs <= 0) return false;
        await resultWithin(Math.min(pauseMs, leftMs), this.nudged.promise);
        this.nudged = Promise.withResolvers<null>();
        if (!(await this.areHeld())) return true;
      }
    } finally {
      this.onEnd();
    }
  }
}

function keyOf(tenantId: string, digest: string): string {
  return `${tenantId}|${digest}`;
}
