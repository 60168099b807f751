import type { BudgetUse } from '../campaigns/campaign-budgets.service.js';
import type { CampaignNames } from '../campaigns/campaign-names.service.js';
import type { CampaignReader } from '../campaigns/campaign-reader.service.js';
import type { BatchStatus } from '../codes/code-batch.entity.js';
import type { CodeReader } from '../codes/code-reader.service.js';
import type { Clock } from '../platform/clock.js';
import type { SeenProcess } from '../platform/database/process-presence.js';
import { isStoreAway } from '../platform/failures.js';
import type { Id } from '../platform/ids.js';
import type { ConsumerLag } from '../platform/outbox/consumer-cursors.js';
import type { KeptData } from '../platform/scheduling/job.js';
import { within } from '../platform/scheduling/timeout.js';
import type { ReportArchive, ReportSummary } from '../reconciliation/report-archive.service.js';
import type { DirectoryHealth, DirectoryService } from '../tenancy/directory/directory.service.js';
import type { StoreHealth } from './store-health.js';

/** From this share of a budget on, a campaign is shown. */
const BUDGET_SHARE = 0.8;
const BUDGETS_MAX = 10;
const BATCHES_MAX = 20;

export interface BatchUnderWay {
  readonly batchId: Id;
  readonly campaignId: Id;
  readonly campaignName: string;
  readonly status: BatchStatus;
  readonly requested: number;
  readonly generated: number;
}

/** Each part is null while its store does not answer, and undefined where it was not asked for. */
export interface Overview {
  readonly asOf: Date;
  readonly keptData: readonly KeptData[];
  readonly stores?: readonly StoreHealth[];
  readonly redemptions?: { readonly committed: number; readonly reversed: number } | null;
  readonly codes?: number | null;
  readonly activeCampaigns?: number | null;
  readonly budgets?: readonly BudgetUse[] | null;
  readonly batchesUnderWay?: readonly BatchUnderWay[] | null;
  readonly haltedAccounts?: number | null;
  readonly consumers?: readonly ConsumerLag[] | null;
  readonly reconciliation?: ReportSummary | null;
  readonly processes?: readonly SeenProcess[] | null;
  readonly deadLetters?: number | null;
  readonly overdueClaims?: number | null;
  readonly directory?: DirectoryHealth | null;
}

type Part = Exclude<keyof Overview, 'asOf' | 'keptData'>;

export interface OverviewSources {
  readonly redemptionReader: {
    counts(tenantId: string): Promise<{ readonly committed: number; readonly reversed: number }>;
  };
  readonly codeReader: Pick<CodeReader, 'count' | 'batchesUnderWay'>;
  readonly campaignReader: Pick<CampaignReader, 'activeCount'>;
  readonly campaignNames: Pick<CampaignNames, 'of'>;
  readonly campaignBudgets: {
    fullest(tenantId: string, share: number, limit: number): Promise<BudgetUse[]>;
  };
  readonly accounts: { haltedCount(tenantId: string): Promise<number> };
  readonly consumerLags: (tenantId: string) => Promise<ConsumerLag[]>;
  readonly reportArchive: Pick<ReportArchive, 'summary'>;
  readonly processes: () => Promise<SeenProcess[]>;
  readonly deadLetters: { count(tenantId: string): Promise<number> };
  readonly openClaims: { overdueCount(tenantId: string): Promise<number> };
  readonly stores: { look(): Promise<StoreHealth[]> };
  readonly keptData: readonly KeptData[];
  readonly directory: Pick<DirectoryService, 'health'>;
}

type Reads = Partial<Record<Part, () => Promise<unknown>>>;

/**
 * The state of a tenant in one answer, from counters and indexes: it costs the same with ten redemptions and with ten
 * million, and starts nothing.
 */
export class OverviewService {
  /** @param timeoutMs how long one part may take */
  constructor(
    private readonly sources: OverviewSources,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  async of(tenantId: string, isWanted: (part: Part) => boolean): Promise<Overview> {
    const chosen = (reads: Reads): Reads =>
      Object.fromEntries(Object.entries(reads).filter(([part]) => isWanted(part as Part)));
    const asOf = new Date(this.clock.nowMs());
    const [ofDatabase, ofRedis, stores] = await Promise.all([
      this.read('database', chosen(this.databaseReads(tenantId))),
      this.read('redis', chosen(this.redisReads(tenantId))),
      isWanted('stores') ? this.sources.stores.look() : null,
    ]);
    return {
      asOf,
      keptData: this.sources.keptData,
      ...ofDatabase,
      ...ofRedis,
      ...(stores !== null && { stores }),
    };
  }

  private databaseReads(tenantId: string): Reads {
    const { sources } = this;
    return {
      redemptions: async () => sources.redemptionReader.counts(tenantId),
      codes: async () => sources.codeReader.count(tenantId),
      activeCampaigns: async () => sources.campaignReader.activeCount(tenantId),
      budgets: async () => sources.campaignBudgets.fullest(tenantId, BUDGET_SHARE, BUDGETS_MAX),
      batchesUnderWay: async () => this.batches(tenantId),
      haltedAccounts: async () => sources.accounts.haltedCount(tenantId),
      consumers: async () => sources.consumerLags(tenantId),
      reconciliation: async () => sources.reportArchive.summary(tenantId),
      processes: async () => sources.processes(),
      directory: async () => sources.directory.health(tenantId),
    };
  }

  private redisReads(tenantId: string): Reads {
    return {
      deadLetters: async () => this.sources.deadLetters.count(tenantId),
      overdueClaims: async () => this.sources.openClaims.overdueCount(tenantId),
    };
  }

  private async batches(tenantId: string): Promise<BatchUnderWay[]> {
    const { codeReader, campaignNames } = this.sources;
    const batches = await codeReader.batchesUnderWay(tenantId, BATCHES_MAX);
    return Promise.all(
      batches.map(async ({ id: batchId, campaignId, status, requested, generated }) => {
        const campaignName = (await campaignNames.of(tenantId, campaignId)) ?? '';
        return { batchId, campaignId, campaignName, status, requested, generated };
      }),
    );
  }

  /** One after the other, so that an overview takes one connection; once the store is away, nothing more is asked of it. */
  private async read(store: 'database' | 'redis', reads: Reads): Promise<Partial<Overview>> {
    const found: Record<string, unknown> = {};
    let isAway = false;
    for (const [part, read] of Object.entries(reads)) {
      try {
        found[part] = isAway ? null : await within(this.timeoutMs, store, read());
      } catch (error) {
        if (!isStoreAway(error)) throw error;
        isAway = true;
        found[part] = null;
      }
    }
    return found;
  }
}
