import { setTimeout as pause } from 'node:timers/promises';
import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import { parseClaim, type Claim } from '../claim/claim.js';
import type { OpenClaim, RedemptionRedis } from '../claim/redemption.redis.js';
import type { GroupCommit } from '../commit/group-commit.js';

/** A redemption that the outbox tells of. */
export interface SettledRedemption {
  readonly redemptionId: Id;
  readonly digest: string;
}

/** How long a confirm may be on its way; a process that died sends none. */
const CONFIRM_MS = 2000;

/**
 * Closes claims whose redemptions are committed but whose confirm never came, because the process died in between.
 * The outbox tells of every commit, so none is overlooked; settling such a claim finds it committed and confirms it.
 */
export class LateConfirms {
  constructor(
    private readonly redis: RedemptionRedis,
    private readonly groupCommit: GroupCommit,
    private readonly log: Logger,
    private readonly confirmMs: number = CONFIRM_MS,
  ) {}

  /** Looks at once which claims are open, and some time later whether they still are. Does not wait for that. */
  async watch(tenantId: string, redemptions: readonly SettledRedemption[]): Promise<void> {
    const listed = await this.redis.listedAmong(tenantId, redemptions);
    if (listed.length === 0) return;
    this.settleLater(tenantId, listed).catch((error: unknown) =>
      this.log.warn({ err: error, claims: listed.length }, 'committed claims stay open'),
    );
  }

  private async settleLater(tenantId: string, listed: readonly SettledRedemption[]): Promise<void> {
    await pause(this.confirmMs, undefined, { ref: false });
    const open = await this.redis.openAmong(tenantId, listed);
    await Promise.all(open.map(async (claim) => this.groupCommit.settle(claimOf(tenantId, claim))));
  }
}

function claimOf(tenantId: string, { redemptionId, digest, claim }: OpenClaim): Claim {
  return parseClaim(tenantId, redemptionId, digest, claim);
}
