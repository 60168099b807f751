import { DEFERRED_DEADLINE_MS } from '../../config.js';
import { eachOf } from '../../platform/scheduling/each-of.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { EMPTY_PAGE, type Page, type PageRange } from '../../platform/database/find-page.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { DeadJob } from '../../platform/queue/job-queue.js';
import type { TenantEventLetterService } from '../../tenancy/directory/tenant-event-letters.service.js';
import type { TenantEventLetter } from '../../tenancy/directory/tenant-event.entity.js';
import type { TenantService } from '../../tenancy/tenant.service.js';
import {
  claimOf,
  jobIdOf,
  tenantOfJob,
  type PendingQueue,
  type PendingRedemption,
} from './pending-redemptions.js';

/** Why a redemption that was deferred has no outcome. */
export const DEAD_LETTER_REASONS = ['STORE_UNAVAILABLE', 'COMMIT_FAILED'] as const;
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

export const REDRIVE_DEAD_LETTERS_REFUSALS = [
  'ORDER_NO_OR_ALL_REQUIRED',
  'PLATFORM_TENANT_REQUIRED',
  'DEAD_LETTER_NOT_FOUND',
  'TENANT_EVENT_NOT_APPLIED',
] as const;
type RedriveRefusal = (typeof REDRIVE_DEAD_LETTERS_REFUSALS)[number];

/** Further ones come to light as these are worked off. It bounds what a look costs. */
const LOOKED_AT_MAX = 10_000;
const AT_ONCE = 16;
/** In one round; the rest come with the next ones. */
const REDRIVEN_MAX = 500;

/** A redemption that was deferred, and could be neither committed nor aborted. */
export interface DeadLetter {
  readonly orderNo: string;
  readonly userId: Id;
  readonly campaignId: Id;
  readonly codeId: Id;
  readonly reason: DeadLetterReason;
  readonly attempts: number;
  readonly claimedAt: Date;
  readonly since: Date;
}

/** One dead letter, or all of the tenant. */
export interface RedriveWanted {
  readonly orderNo?: string | null;
  readonly tenantEvent?: Id | null;
  readonly all?: boolean | null;
}

/** Dead letters of a tenant: what staff see of them, and how they are brought back to life. */
export class DeadLetterService {
  constructor(
    private readonly queue: PendingQueue,
    private readonly transactions: Pick<Transactions, 'recordOperation'>,
    private readonly tenants: Pick<TenantService, 'isPlatform' | 'assertPlatform'>,
    private readonly letters: Pick<TenantEventLetterService, 'page' | 'redrive'>,
  ) {}

  /** The latest first. @throws StoreUnavailableError */
  async page(
    tenantId: string,
    { offset, size }: { readonly offset: number; readonly size: number },
  ): Promise<{ readonly total: number; readonly items: DeadLetter[] }> {
    const ids = await this.ids(tenantId);
    const jobs = await this.queue.of(tenantId).dead(ids.slice(offset, offset + size));
    return { total: ids.length, items: jobs.map(deadLetter) };
  }

  /** Events of the tenant directory that were given up; none for those who do not look after the installation. */
  async tenantEvents(tenantId: string, page: PageRange): Promise<Page<TenantEventLetter>> {
    return (await this.tenants.isPlatform(tenantId)) ? this.letters.page(page) : EMPTY_PAGE;
  }

  /** How many there are, as far as {@link page} looks. @throws StoreUnavailableError */
  async count(tenantId: string): Promise<number> {
    return (await this.ids(tenantId)).length;
  }

  /**
   * Has one dead letter, or all of the tenant, tried again from the beginning. Which outcome it comes to is decided as
   * ever: one that was aborted meanwhile is only removed.
   * @returns how many are tried again
   * @throws DomainError one of {@link REDRIVE_DEAD_LETTERS_REFUSALS}
   */
  async redrive(tenantId: string, wanted: RedriveWanted): Promise<number> {
    const { orderNo = null, tenantEvent = null, all } = wanted;
    // A caller who left out an argument never gets all of them.
    if ([orderNo !== null, tenantEvent !== null, all === true].filter(Boolean).length !== 1) {
      refuse(
        'ORDER_NO_OR_ALL_REQUIRED',
        'Name one dead letter by orderNo or by tenantEvent, or say `all: true`; only one of them.',
        'all',
      );
    }
    if (orderNo !== null) return this.redriveOne(tenantId, orderNo);
    if (tenantEvent !== null) return this.redriveEvent(tenantId, tenantEvent);
    await this.transactions.recordOperation(tenantId, { type: 'dead_letter', id: 'all' });
    const events = (await this.tenants.isPlatform(tenantId)) ? await this.letters.redrive(null) : 0;
    return (await this.redriveAll(tenantId)) + (events ?? 0);
  }

  private async redriveEvent(tenantId: string, letterId: Id): Promise<number> {
    await this.tenants.assertPlatform(tenantId);
    await this.transactions.recordOperation(tenantId, { type: 'tenant_event_letter', id: letterId });
    const redriven = await this.letters.redrive(letterId);
    if (redriven === null)
      return refuse('DEAD_LETTER_NOT_FOUND', 'There is no dead letter with this id.', 'tenantEvent');
    const message = 'The event failed again; it stays a dead letter, whose message says why.';
    return redriven > 0 ? redriven : refuse('TENANT_EVENT_NOT_APPLIED', message, 'tenantEvent');
  }

  /**
   * Retries letters of all tenants that are older than a claim may stay open: the
   * sweeper has failed those whose claims Redis still had, and nothing else would settle the others. While the
   * database is away they only become dead letters once more.
   * @returns how many are tried again
   */
  async redriveOld(): Promise<number> {
    return this.queue.redriveOlder(DEFERRED_DEADLINE_MS, REDRIVEN_MAX);
  }

  private async redriveOne(tenantId: string, orderNo: Id): Promise<1> {
    const jobId = isId(orderNo) ? jobIdOf(tenantId, orderNo) : null;
    const queue = this.queue.of(tenantId);
    const [letter] = jobId === null ? [] : await queue.dead([jobId]);
    if (jobId !== null && letter !== undefined) {
      await this.transactions.recordOperation(tenantId, { type: 'dead_letter', id: orderNo });
      if (await queue.redrive(jobId)) return 1;
    }
    return refuse('DEAD_LETTER_NOT_FOUND', 'There is no dead letter with this order number.', 'orderNo');
  }

  private async redriveAll(tenantId: string): Promise<number> {
    let redriven = 0;
    await eachOf(await this.ids(tenantId), AT_ONCE, async (id) => {
      if (await this.queue.of(tenantId).redrive(id)) redriven += 1;
    });
    return redriven;
  }

  /** An id names its tenant, so other tenants' jobs need not even be read. */
  private async ids(tenantId: string): Promise<string[]> {
    const ids = await this.queue.of(tenantId).deadIds(LOOKED_AT_MAX);
    return ids.filter((id) => tenantOfJob(id) === tenantId);
  }
}

function refuse(code: RedriveRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}

function deadLetter({ data, reason, attempts, sinceMs }: DeadJob<PendingRedemption>): DeadLetter {
  const { redemptionId, userId, campaignId, codeId, claimedAtMs } = claimOf(data);
  return {
    orderNo: redemptionId,
    userId,
    campaignId,
    codeId,
    reason: reason === 'STORE_UNAVAILABLE' ? reason : 'COMMIT_FAILED',
    attempts,
    claimedAt: new Date(claimedAtMs),
    since: new Date(sinceMs),
  };
}
