import {
  lockCounters,
  makeCounters,
  type UsageLedger,
  type UsageWanted,
} from '../../campaigns/campaign-usage.service.js';
import type { Clock } from '../../platform/clock.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { Id } from '../../platform/ids.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import { committed, CommitDecisions } from './commit-decider.js';
import { limitedUses, usageWanted } from './commit-guards.js';
import { lockRows, type LockedRows } from './commit-locks.js';
import type { CommitOutcome } from './commit-outcome.js';
import type { CommitWrites } from './commit-writes.js';
import { EarlierRedemptions } from './earlier-redemptions.js';
import type { Batches } from './group-commit.js';
import { RewardBatch, type TenantClaims } from './reward-batch.js';

/** Claims of one tenant whose rows are locked. */
interface LockedPart extends TenantClaims {
  readonly rows: LockedRows;
  readonly limited: readonly UsageWanted[];
}

/** What they are decided by. */
interface ReadyPart extends LockedPart {
  readonly rewards: RewardBatch;
  readonly usage: UsageLedger;
  readonly buyers: ReadonlySet<Id>;
}

/**
 * Commits claims of several tenants in one transaction, as far as nothing stands in their way. Left out are claims whose
 * users, codes, campaigns or batches others hold locked; whose campaign has no counter of its budget yet; and that would
 * be refused, because that is read back first. Each step is taken for all tenants, in their order, before the next one.
 */
export class SharedCommit {
  constructor(
    private readonly transactions: Transactions,
    private readonly handlers: RewardHandlers,
    private readonly writes: CommitWrites,
    private readonly clock: Clock,
    private readonly metrics: Pick<RedemptionMetrics, 'transactions'>,
  ) {}

  /** @returns what was committed of each tenant; the rest is to be committed with its tenant alone */
  async commit(batches: Batches): Promise<ReadonlyMap<string, ReadonlyMap<Id, CommitOutcome>>> {
    return this.transactions.runForSeveral([...batches.keys()].toSorted(), async (ems) => {
      this.metrics.transactions.inc();
      const asked = [...ems].map(([tenantId, em]) => {
        const claims = (batches.get(tenantId) ?? []).map(({ claim }) => claim);
        return { em, tenantId, claims };
      });
      const locked = (await Promise.all(asked.map(lockFree))).filter(({ claims }) => claims.length > 0);
      const begun = await RewardBatch.begin(locked, this.handlers);
      await Promise.all(
        begun.map(async ({ em, tenantId, limited }) => makeCounters(em, tenantId, limited, 'OF_USERS')),
      );
      const ready = await Promise.all(begun.map(async (part) => this.ready(part)));
      const settledAt = new Date(this.clock.nowMs());
      return new Map(await Promise.all(ready.map(async (part) => this.write(part, settledAt))));
    });
  }

  private async ready(part: Omit<ReadyPart, 'usage' | 'buyers'>): Promise<ReadyPart> {
    const { em, tenantId, claims, limited } = part;
    const [usage, buyers] = await Promise.all([
      lockCounters(em, tenantId, limited),
      this.writes.buyersAmong(em, tenantId, claims),
    ]);
    return { ...part, usage, buyers };
  }

  private async write(part: ReadyPart, settledAt: Date): Promise<[string, Map<Id, CommitOutcome>]> {
    const { em, tenantId, claims, rows, usage, rewards, buyers } = part;
    const counted = claims.filter((claim) => usage.has(usageWanted(claim, rows)));
    const decisions = new CommitDecisions(rows, new EarlierRedemptions(), usage, rewards, settledAt);
    decisions.decideAll(counted);
    const { accepted } = decisions;
    await Promise.all([
      usage.flush(),
      rewards.flush(),
      this.writes.write(em, tenantId, { accepted, tombstones: [], failed: [], buyers, settledAt }),
    ]);
    return [tenantId, new Map(accepted.map(committed))];
  }
}

/** Locks what no other transaction holds. */
async function lockFree(asked: TenantClaims): Promise<LockedPart> {
  const { em, tenantId, claims } = asked;
  const rows = await lockRows(em, tenantId, claims, 'SKIPPED');
  const free = claims.filter(
    ({ userId, codeId, campaignId, batchId }) =>
      rows.users.has(userId) &&
      rows.codes.has(codeId) &&
      rows.campaigns.has(campaignId) &&
      rows.batches.has(batchId),
  );
  return { em, tenantId, claims: free, rows, limited: limitedUses(free, rows) };
}
