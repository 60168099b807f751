import type { Clock } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { ReadCache } from '../../platform/read-cache.js';
import type { TenantService } from '../tenant.service.js';
import type { DirectorySync } from './directory-sync.js';
import type { TenantEventLetterService } from './tenant-event-letters.service.js';
import { DirectoryUnavailableError, type BreakerState, type TenantDirectory } from './tenant-directory.js';

export { BREAKER_STATES, type BreakerState } from './tenant-directory.js';

export const DIRECTORY_REFUSALS = ['TENANT_DIRECTORY_UNAVAILABLE'] as const;

const RETRY_AFTER_MS = 10_000;

export interface DirectoryTerms {
  /** For how long the last good answer allows what must ask the directory while it is away. */
  readonly graceMs: number;
  /** From which age on what was confirmed counts as out of date. */
  readonly staleAfterMs: number;
}

/** How the directory can be reached, and how old what it has told of a tenant is. */
export interface DirectoryHealth {
  readonly breaker: BreakerState;
  readonly checkedAt: Date | null;
  readonly isStale: boolean;
  readonly deadLetters: number;
}

interface Collaborators {
  readonly directory: TenantDirectory;
  readonly sync: Pick<DirectorySync, 'confirm'>;
  readonly tenants: Pick<TenantService, 'find'>;
  readonly letters: Pick<TenantEventLetterService, 'count'>;
  readonly clock: Clock;
}

/** What depends on the directory: whether a tenant may do what it must confirm, and how old what is shown is. */
export class DirectoryService {
  private readonly checked: ReadCache<Date>;

  constructor(
    private readonly its: Collaborators,
    private readonly terms: DirectoryTerms,
  ) {
    this.checked = new ReadCache(async (tenantId) => this.checkedAt(tenantId));
  }

  /** Null where the table of tenants is the directory itself. */
  async health(tenantId: string): Promise<DirectoryHealth | null> {
    const { directory, letters } = this.its;
    if (!directory.isRemote) return null;
    return {
      breaker: directory.breakerState,
      checkedAt: await this.checkedAt(tenantId),
      isStale: await this.isStale(tenantId),
      deadLetters: await letters.count(),
    };
  }

  /**
   * Has the directory confirm a tenant, whose row is up to date afterwards. While it does not answer, its last good
   * answer counts for the time of grace.
   * @throws DomainError TENANT_DIRECTORY_UNAVAILABLE; TENANT_NOT_FOUND where the directory does not know the tenant
   */
  async confirm(tenantId: string): Promise<void> {
    const { directory, sync, clock } = this.its;
    if (!directory.isRemote) return;
    try {
      if (await sync.confirm(tenantId)) return;
    } catch (error) {
      if (!(error instanceof DirectoryUnavailableError)) throw error;
      const checkedMs = (await this.checkedAt(tenantId))?.getTime() ?? -Infinity;
      if (clock.nowMs() - checkedMs <= this.terms.graceMs) return;
      throw new DomainError(
        'TENANT_DIRECTORY_UNAVAILABLE',
        'The tenant directory does not answer, and has not confirmed the tenant lately. Try again later.',
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    throw new DomainError('TENANT_NOT_FOUND', 'The tenant directory does not know the tenant.');
  }

  /** Whether name, type and status of a tenant may be out of date, by an answer at most a second old. */
  async isStale(tenantId: string): Promise<boolean> {
    const { directory, clock } = this.its;
    if (!directory.isRemote) return false;
    const checkedMs = (await this.checked.find(tenantId, ''))?.getTime() ?? -Infinity;
    // Another process may have had an answer since this one had none.
    if (directory.downSinceMs !== null && checkedMs <= directory.downSinceMs) return true;
    return clock.nowMs() - checkedMs > this.terms.staleAfterMs;
  }

  private async checkedAt(tenantId: string): Promise<Date | null> {
    return (await this.its.tenants.find(tenantId))?.directoryCheckedAt ?? null;
  }
}
