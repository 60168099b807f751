import { eachOf } from '../../platform/scheduling/each-of.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import { ownsAll } from '../../platform/scheduling/job.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import type { TenantService } from '../../tenancy/tenant.service.js';
import type { AbortService } from '../commit/abort.service.js';
import type { AbortOutcome, AbortRequest } from '../commit/claim-aborter.js';
import { parseClaim, readStoredClaim } from '../claim/claim.js';
import type { OpenClaimsRedis, OpenEntry } from '../claim/open-claims.redis.js';
import type { OpenClaim, RedemptionRedis } from '../claim/redemption.redis.js';

/** Claims that one transaction aborts. */
const PAGE = 256;
/** Pages of a tenant in one sweep; the next sweep goes on. */
const PAGES_MAX = 40;
/** How long a tenant's turn may take; what is left then is for the next sweep. */
const TURN_MS = 5000;
const TENANTS_AT_ONCE = 4;
/** Of this many sweeps one is of all tenants, also those of other workers: no lease may leave a claim open. */
const WHOLE_EVERY = 10;
/** Claims of a tenant that can be stuck behind transactions of others before its sweep is left for the next time. */
const STUCK_MAX = 3;

export interface Swept {
  /** Tombstoned now, and released. */
  readonly tombstoned: number;
  /** Found committed. */
  readonly confirmed: number;
  /** Found tombstoned: the process that did it died before the release. */
  readonly released: number;
  /** Entries without a claim. */
  readonly dropped: number;
}

export interface ClaimSweeperParts {
  readonly tenants: TenantService;
  readonly open: OpenClaimsRedis;
  readonly redis: RedemptionRedis;
  readonly aborts: Pick<AbortService, 'abort'>;
  readonly metrics: Pick<RedemptionMetrics, 'claimsOverdue' | 'claimsSwept'>;
  readonly log: Logger;
}

/**
 * Settles claims past their deadline, whose process has died, or lives and is late: that makes no difference, because
 * the tombstone decides against whatever the process still does. A claim that turns out to be committed is confirmed.
 * Any number of sweepers may be at work at once, and each may die at any moment: what is left the next one finds.
 */
export class ClaimSweeper {
  /** Tenants in this sweep whose part of Redis did not answer. */
  private unanswered = 0;
  private sweeps = 0;

  constructor(private readonly parts: ClaimSweeperParts) {}

  /**
   * All tenants, in turn, or mostly a worker's own. Those whose master of a cluster is away are left for the next time.
   * @throws StoreUnavailableError when the database, or all of Redis, is away
   */
  async sweepAll(signal?: AbortSignal, isOwn = ownsAll): Promise<Swept> {
    const { tenants, open, metrics, log } = this.parts;
    const total = new Tally();
    let overdue = 0;
    this.unanswered = 0;
    const isSwept = this.sweeps % WHOLE_EVERY === 0 ? ownsAll : isOwn;
    this.sweeps += 1;
    for await (const page of tenants.idPages()) {
      if (signal?.aborted === true) return total;
      const due = await open.tenantsOverdue(page.filter(isSwept), this.failed);
      for (const { tenantId, count } of due) if (isOwn(tenantId)) overdue += count;
      metrics.claimsOverdue.set(overdue);
      await eachOf(due, TENANTS_AT_ONCE, async ({ tenantId }) => {
        total.add(await this.sweepGuarded(tenantId, signal));
      });
    }
    if (this.unanswered > 0) log.warn({ tenants: this.unanswered }, 'Redis did not answer for some tenants');
    const relisted = await open.relist(this.failed);
    if (relisted > 0) log.warn({ relisted }, 'open claims were missing in their list');
    return total;
  }

  /** One line for all tenants of a master that is away. */
  private readonly failed = (tenantId: string, error: unknown): void => {
    if (error instanceof StoreUnavailableError) this.unanswered += 1;
    else this.parts.log.error({ err: error, tenantId }, 'claims past their deadline stay open');
  };

  /** One tenant. */
  async sweep(tenantId: string, signal?: AbortSignal): Promise<Swept> {
    const swept = new Tally();
    const seen = new Set<Id>();
    let skip = 0;
    const untilMs = performance.now() + TURN_MS;
    for (let page = 0; page < PAGES_MAX && performance.now() < untilMs; page += 1) {
      if (signal?.aborted === true) break;
      const { nowMs, entries } = await this.parts.open.overdue(tenantId, skip, PAGE);
      const fresh = entries.filter(({ redemptionId }) => !seen.has(redemptionId));
      // What is still there could not be settled a moment ago, and must not hold up what comes behind it.
      skip += entries.length - fresh.length;
      for (const { redemptionId } of fresh) seen.add(redemptionId);
      await this.settle(tenantId, fresh, nowMs, swept);
      if (entries.length < PAGE) break;
    }
    return swept;
  }

  /** What is wrong with one tenant, or away for it, does not hold up the others; a database that is away holds up all. */
  private async sweepGuarded(tenantId: string, signal?: AbortSignal): Promise<Swept> {
    try {
      const swept = await this.sweep(tenantId, signal);
      if (Object.values(swept).some((count) => count > 0))
        this.parts.log.info({ tenantId, ...swept }, 'claims past their deadline were settled');
      return swept;
    } catch (error) {
      if (error instanceof StoreUnavailableError && error.store === 'database') throw error;
      this.failed(tenantId, error);
      return new Tally();
    }
  }

  private async settle(
    tenantId: string,
    entries: readonly OpenEntry[],
    nowMs: number,
    swept: Tally,
  ): Promise<void> {
    const open = await this.parts.redis.openAmong(tenantId, entries);
    const ids = new Set(open.map(({ redemptionId }) => redemptionId));
    const gone = entries.filter(({ redemptionId }) => !ids.has(redemptionId));
    swept.dropped += await this.parts.open.dropGone(tenantId, gone);
    const late = open.flatMap((claim) => this.lateClaim(tenantId, claim, nowMs));
    const outcomes = await this.abort(tenantId, late);
    for (const outcome of outcomes.values()) {
      swept.count(outcome);
      this.parts.metrics.claimsSwept.inc({ outcome });
    }
  }

  /** A claim that was deferred a moment ago has a later deadline than its entry had when that was read. */
  private lateClaim(tenantId: string, open: OpenClaim, nowMs: number): AbortRequest[] {
    const { redemptionId, digest, claim } = open;
    try {
      if (readStoredClaim(redemptionId, claim).deadlineMs > nowMs) return [];
      return [{ claim: parseClaim(tenantId, redemptionId, digest, claim), reason: 'DEADLINE_PASSED' }];
    } catch (error) {
      this.parts.log.error({ err: error, tenantId, redemptionId }, 'an open claim cannot be read');
      return [];
    }
  }

  private async abort(
    tenantId: string,
    late: readonly AbortRequest[],
  ): Promise<ReadonlyMap<Id, AbortOutcome>> {
    if (late.length === 0) return new Map();
    try {
      return await this.parts.aborts.abort(tenantId, late);
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      return this.abortEach(tenantId, late);
    }
  }

  /** A commit under way may hold the row of one, by whose lock time-out all have failed. */
  private async abortEach(
    tenantId: string,
    late: readonly AbortRequest[],
  ): Promise<ReadonlyMap<Id, AbortOutcome>> {
    const outcomes = new Map<Id, AbortOutcome>();
    let stuck = 0;
    const untilMs = performance.now() + TURN_MS;
    for (const one of late) {
      if (stuck === STUCK_MAX || performance.now() > untilMs) break;
      try {
        for (const [id, outcome] of await this.parts.aborts.abort(tenantId, [one])) outcomes.set(id, outcome);
      } catch (error) {
        if (error instanceof StoreUnavailableError) throw error;
        stuck += 1;
        const { redemptionId } = one.claim;
        this.parts.log.warn({ err: error, tenantId, redemptionId }, 'a claim past its deadline stays open');
      }
    }
    return outcomes;
  }
}

class Tally implements Swept {
  tombstoned = 0;
  confirmed = 0;
  released = 0;
  dropped = 0;

  count(outcome: AbortOutcome): void {
    if (outcome === 'TOMBSTONED') this.tombstoned += 1;
    else if (outcome === 'COMMITTED') this.confirmed += 1;
    else this.released += 1;
  }

  add(swept: Swept): void {
    this.tombstoned += swept.tombstoned;
    this.confirmed += swept.confirmed;
    this.released += swept.released;
    this.dropped += swept.dropped;
  }
}
