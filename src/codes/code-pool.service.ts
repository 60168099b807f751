import { LockMode } from '@mikro-orm/core';
import { z } from 'zod';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { countNumber, parseInput } from '../platform/input.js';
import { UNKEYED } from '../platform/database/keyed-rows.js';
import { systemEm, tenantEm } from '../platform/database/orm.js';
import { operationChanges } from '../platform/recording/recording-em.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { eachOf } from '../platform/scheduling/each-of.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { untilDistinct } from './code-chunk-writer.js';
import type { CodeGenerationService } from './code-generation.service.js';
import type { IssuedBatch } from './code-issuer.js';
import type { SetCodePoolRefusal } from './code-allocation.errors.js';
import { CodePool, CodePoolItem } from './code-pool.entity.js';
import { openCampaign } from './open-campaign.js';
import { PoolLevels, type PoolGlance } from './pool-levels.js';

const POOL_SIZE_MAX = 100_000;
/** What one transaction adds; the next run continues from there. */
const REFILL_MAX = 10_000;
/** A pool is refilled when this part of it is missing, so that small allocations do not make a batch each. */
const REFILL_PART = 10;
const TENANTS_AT_ONCE = 4;

/**
 * The pools of all tenants, each with its first item, in the order of the whole key: MySQL sorts all items otherwise.
 * Raw SQL, because the ORM has no subquery with a limit.
 */
export const POOLS = `select p.tenant_id as tenantId, cast(p.campaign_id as char) as campaignId, p.size, (
    select cast(i.code_id as char) from code_pool_item i force index (primary)
     where i.tenant_id = p.tenant_id and i.campaign_id = p.campaign_id
     order by i.tenant_id, i.campaign_id, i.code_id limit 1) as firstId
  from code_pool p where p.size > 0`;

const setCodePoolInput = z.strictObject({
  campaignId: z.string().max(24),
  size: countNumber(0, POOL_SIZE_MAX),
});

export interface PoolState {
  readonly campaignId: Id;
  readonly size: number;
  readonly free: number;
  readonly refusal: string | null;
}

export interface PoolCollaborators extends Pick<PlatformServices, 'orm' | 'clock' | 'transactions' | 'log'> {
  readonly tenants: TenantService;
  readonly generation: Pick<CodeGenerationService, 'issue' | 'announce'>;
}

/** Stocks of codes made ahead, from which `allocateCodes` hands out at once. */
export class CodePoolService {
  private readonly levels = new PoolLevels();

  constructor(private readonly its: PoolCollaborators) {}

  /** Sets how many free codes a campaign's pool has. @throws DomainError one of {@link SET_CODE_POOL_REFUSALS} */
  async set(tenantId: string, input: unknown): Promise<PoolState> {
    const { campaignId, size } = parseInput<typeof setCodePoolInput, SetCodePoolRefusal>(
      setCodePoolInput,
      input,
      {
        input: 'INPUT_NOT_ALLOWED',
        campaignId: 'CAMPAIGN_NOT_FOUND',
        size: 'POOL_SIZE_OUT_OF_RANGE',
      },
    );
    await this.its.transactions.run(tenantId, async (em) => {
      const campaign = await openCampaign(em, campaignId);
      if (campaign.codeVisibility !== 'VISIBLE') {
        const code: SetCodePoolRefusal = 'POOL_NEEDS_VISIBLE_CODES';
        const message = 'A HASHED campaign stores no texts, so nothing of its pool could be handed out.';
        throw new DomainError(code, message, { field: ['input', 'campaignId'] });
      }
      await operationChanges(em, CodePool, { campaignId });
      await em.execute(
        `insert into code_pool (tenant_id, campaign_id, size, refusal, created_at) values (?, ?, ?, null, ?)
          on duplicate key update size = values(size), refusal = null`,
        [tenantId, campaignId, size, new Date(this.its.clock.nowMs())],
      );
    });
    return (await this.find(tenantId, campaignId)) ?? { campaignId, size, free: 0, refusal: null };
  }

  async find(tenantId: string, campaignId: Id): Promise<PoolState | null> {
    if (!isId(campaignId)) return null;
    const em = tenantEm(this.its.orm, tenantId);
    const pool = await em.findOne(CodePool, { campaignId }, { disableIdentityMap: true });
    if (pool === null) return null;
    const { size, refusal = null } = pool;
    return { campaignId, size, free: await em.count(CodePoolItem, { campaignId }), refusal };
  }

  /**
   * Refills the pools of all tenants, on any number of workers: those of one tenant one after the other, of some tenants
   * at once.
   * @returns how many codes were made
   */
  async refillAll(): Promise<number> {
    const pools = await systemEm(this.its.orm).execute<PoolGlance[]>(POOLS);
    const byTenant = Map.groupBy(this.levels.lowAmong(pools), ({ tenantId }) => tenantId);
    const made: number[] = [];
    await eachOf(byTenant.values(), TENANTS_AT_ONCE, async (ofTenant) => {
      for (const pool of ofTenant) made.push(await this.refillOrNote(pool));
    });
    return made.reduce((sum, count) => sum + count, 0);
  }

  /** Of several workers one fills, under the lock of the pool; the others find it full. */
  async refill(tenantId: string, campaignId: Id): Promise<number> {
    const state = await this.find(tenantId, campaignId);
    if (state === null) return 0;
    const wanted = missingOf(state.size, state.free);
    if (wanted === 0) {
      await this.passOver(tenantId, state);
      return 0;
    }
    await this.its.tenants.assertCanIssue(tenantId, wanted);
    const issued = await untilDistinct(async (avoidTaken) =>
      this.its.transactions.run(tenantId, async (em): Promise<IssuedBatch | null> => {
        const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
        const pool = await em.findOne(CodePool, { campaignId }, lock);
        const count = missingOf(pool?.size ?? 0, await em.count(CodePoolItem, { campaignId }));
        if (count === 0) return null;
        const campaign = await openCampaign(em, campaignId);
        const order = { campaign, count, awaitsActivation: false, ...UNKEYED, avoidTaken };
        const batch = await this.its.generation.issue(em, order, null);
        await em.execute(
          `insert into code_pool_item (tenant_id, campaign_id, code_id)
            select tenant_id, campaign_id, id from code where batch_id = ? and tenant_id = ?`,
          [batch.batch.id, tenantId],
        );
        await em.nativeUpdate(CodePool, { campaignId }, { refusal: null });
        return batch;
      }),
    );
    if (issued === null) return 0;
    await this.its.generation.announce(issued.batch);
    return issued.codes.length;
  }

  private async refillOrNote(pool: PoolGlance): Promise<number> {
    const { tenantId, campaignId, firstId } = pool;
    try {
      return await this.refill(tenantId, campaignId);
    } catch (error) {
      // What refuses it now will refuse it in two seconds, and to count it costs the same.
      if (firstId !== null && error instanceof DomainError) this.levels.passOver(pool, firstId);
      await this.note(tenantId, campaignId, error);
      return 0;
    }
  }

  private async passOver(tenantId: string, { campaignId, size, free }: PoolState): Promise<void> {
    if (size === 0) return;
    const [item] = await tenantEm(this.its.orm, tenantId).find(
      CodePoolItem,
      { campaignId },
      { orderBy: { codeId: 'asc' }, offset: free - lowAt(size) - 1, limit: 1, disableIdentityMap: true },
    );
    if (item !== undefined) this.levels.passOver({ tenantId, campaignId, size }, item.codeId);
  }

  /** Staff read from the pool why it is empty. A campaign that has ended needs no codes. */
  private async note(tenantId: string, campaignId: Id, error: unknown): Promise<void> {
    let isNew = true;
    if (error instanceof DomainError) {
      const refusal = String(error.code);
      const isOver = refusal === 'CAMPAIGN_ENDED' || refusal === 'CAMPAIGN_NOT_FOUND';
      const where = { campaignId, $or: [{ refusal: null }, { refusal: { $ne: refusal } }] };
      const change = { refusal, ...(isOver && { size: 0 }) };
      isNew = (await tenantEm(this.its.orm, tenantId).nativeUpdate(CodePool, where, change)) > 0;
    }
    if (isNew) this.its.log.warn({ err: error, tenantId, campaignId }, 'a pool of codes was not refilled');
  }
}

/** A pool of this many free codes is refilled. */
function lowAt(size: number): number {
  return size - Math.ceil(size / REFILL_PART);
}

/** How many codes a refill adds; none until a tenth is missing. */
function missingOf(size: number, free: number): number {
  return free > lowAt(size) ? 0 : Math.min(size - free, REFILL_MAX);
}
