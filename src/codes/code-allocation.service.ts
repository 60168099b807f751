import { LockMode } from '@mikro-orm/core';
import { z } from 'zod';
import { DomainError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { countNumber, foreignKeyText, nameText, orElse, parseInput } from '../platform/input.js';
import { updateRows } from '../platform/database/delete-rows.js';
import { insertNew } from '../platform/database/insert-new.js';
import { callKeyOf, findKeyed, makeOnce, type CallKey } from '../platform/database/keyed-rows.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { AllocateCodesRefusal } from './code-allocation.errors.js';
import { CodeAllocation, CodeAllocationItem, type ReceiverType } from './code-allocation.entity.js';
import { assertUser } from './assigned-user.js';
import { codeChanged } from './code-events.js';
import { codeKeys } from './code-row.js';
import { moveCodeTotals } from './code-totals.service.js';
import { dropDeadItems, takeItems, type HeldRows, type PoolAt } from './code-pool-items.js';
import type { CodeRefresh } from './code-refresh.js';
import { Code } from './code.entity.js';
import { openCampaign } from './open-campaign.js';

const ALLOCATED_AT_ONCE_MAX = 1000;

const allocateCodesInput = z.strictObject({
  campaignId: z.string().max(24),
  count: countNumber(1, ALLOCATED_AT_ONCE_MAX),
  userId: orElse(z.string().max(24), null),
  channel: orElse(nameText(64), null),
  idempotencyKey: orElse(foreignKeyText, null),
});

export interface AllocatedCodes {
  readonly allocation: CodeAllocation;
  readonly codes: readonly string[];
  readonly replayed: boolean;
}

interface Order {
  readonly campaignId: Id;
  readonly count: number;
  readonly receiverType: ReceiverType;
  readonly receiver: string;
  readonly call: CallKey;
}

type NewAllocation = Order & { readonly tenantId: string; readonly id: Id };

export interface AllocationCollaborators extends Pick<
  PlatformServices,
  'orm' | 'ids' | 'clock' | 'transactions' | 'outbox'
> {
  readonly refresh: CodeRefresh;
}

/** Hands codes of a pool out, each to one receiver only. */
export class CodeAllocationService {
  constructor(private readonly its: AllocationCollaborators) {}

  /**
   * Hands out all codes that were asked for, or none. The same key again answers the same codes.
   * @throws DomainError one of {@link ALLOCATE_CODES_REFUSALS}
   */
  async allocate(tenantId: string, input: unknown): Promise<AllocatedCodes> {
    const order = orderOf(tenantId, input);
    try {
      return await makeOnce(
        async () => this.replay(tenantId, order),
        async () => this.takeFreeOrHeld(tenantId, order),
      );
    } catch (error) {
      if (isExhausted(error)) await this.dropDead(this.poolAt(tenantId, order.campaignId));
      throw error;
    }
  }

  private async dropDead(pool: PoolAt): Promise<void> {
    let last: Id | null = '0';
    while (last !== null) {
      const afterId: Id = last;
      last = await this.its.transactions.run(pool.tenantId, async (em) => dropDeadItems(em, pool, afterId));
    }
  }

  /** Calls do not wait for one another, until the pool seems empty: what they hold returns if they are undone. */
  private async takeFreeOrHeld(tenantId: string, order: Order): Promise<AllocatedCodes> {
    try {
      return await this.make(tenantId, order, 'SKIPPED');
    } catch (error) {
      if (!isExhausted(error)) throw error;
      return this.make(tenantId, order, 'AWAITED');
    }
  }

  private async make(tenantId: string, order: Order, heldRows: HeldRows): Promise<AllocatedCodes> {
    const allocationId = this.its.ids.next();
    const { allocation, codes } = await this.its.transactions.runReadingBack(
      tenantId,
      async (em, readsBack) => {
        const where = { id: allocationId };
        const stored = readsBack
          ? await em.findOne(CodeAllocation, where, { disableIdentityMap: true })
          : null;
        if (stored !== null) return { allocation: stored, codes: await codesOf(em, allocationId) };
        return this.write(em, { ...order, tenantId, id: allocationId }, heldRows);
      },
    );
    if (order.receiverType === 'USER') await this.its.refresh.changed(tenantId, codes);
    return { allocation, codes: textsOf(codes), replayed: false };
  }

  private async write(
    em: Em,
    order: NewAllocation,
    heldRows: HeldRows,
  ): Promise<{ readonly allocation: CodeAllocation; readonly codes: Code[] }> {
    const { tenantId, id: allocationId } = order;
    await openCampaign(em, order.campaignId, LockMode.NONE);
    if (order.receiverType === 'USER') await assertUser(em, order.receiver, 'userId');
    const allocation = await this.insert(em, order);
    const taken = await this.take(em, order, heldRows);
    await em.insertMany(
      CodeAllocationItem,
      taken.map(({ id }) => ({ tenantId, codeId: id, allocationId })),
    );
    if (order.receiverType === 'CHANNEL') return { allocation, codes: taken };
    return { allocation, codes: await this.assign(em, tenantId, taken, order.receiver) };
  }

  private async insert(em: Em, order: NewAllocation): Promise<CodeAllocation> {
    const { call, ...columns } = order;
    const row = { ...columns, ...call, createdAt: new Date(this.its.clock.nowMs()) };
    return insertNew(em, CodeAllocation, row);
  }

  private async take(em: Em, order: NewAllocation, heldRows: HeldRows): Promise<Code[]> {
    const { tenantId, campaignId, count } = order;
    const ids = await takeItems(em, this.poolAt(tenantId, campaignId), count, heldRows);
    if (ids.length < count) {
      const message = `The pool has ${ids.length} free codes, and ${count} were asked for. It refills itself: try again in some seconds, ask for fewer, or raise its size.`;
      refuse('POOL_EXHAUSTED', message, 'count');
    }
    return em.find(Code, { id: { $in: ids } }, { orderBy: { id: 'asc' }, disableIdentityMap: true });
  }

  private poolAt(tenantId: string, campaignId: Id): PoolAt {
    return { tenantId, campaignId, now: new Date(this.its.clock.nowMs()) };
  }

  /** @returns the codes as they are then */
  private async assign(em: Em, tenantId: string, codes: readonly Code[], userId: Id): Promise<Code[]> {
    const set = 'assigned_user_id = ?, version = version + 1';
    await updateRows(em, codeKeys(tenantId, codes), set, [userId]);
    const after = codes.map((code) => ({ ...code, assignedUserId: userId, version: code.version + 1 }));
    this.its.outbox.append(em, tenantId, after.map(codeChanged));
    await moveCodeTotals(em, [
      ...codes.map((like) => ({ like, by: -1 })),
      ...after.map((like) => ({ like, by: 1 })),
    ]);
    return after;
  }

  private async replay(tenantId: string, order: Order): Promise<AllocatedCodes | null> {
    const em = tenantEm(this.its.orm, tenantId);
    const allocation = await findKeyed(em, CodeAllocation, order.call);
    if (allocation === null) return null;
    return { allocation, codes: textsOf(await codesOf(em, allocation.id)), replayed: true };
  }
}

function orderOf(tenantId: string, input: unknown): Order {
  const wanted = parseInput<typeof allocateCodesInput, AllocateCodesRefusal>(allocateCodesInput, input, {
    input: 'INPUT_NOT_ALLOWED',
    campaignId: 'CAMPAIGN_NOT_FOUND',
    count: 'CODE_COUNT_OUT_OF_RANGE',
    userId: 'RECEIVER_NOT_ALLOWED',
    channel: 'RECEIVER_NOT_ALLOWED',
    idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
  });
  const { campaignId, count, userId, channel } = wanted;
  if ((userId === null) === (channel === null))
    refuse('RECEIVER_NOT_ALLOWED', 'Name one receiver: userId or channel.', 'channel');
  return {
    campaignId,
    count,
    receiverType: userId === null ? 'CHANNEL' : 'USER',
    receiver: userId ?? channel ?? '',
    call: callKeyOf(tenantId, 'code_allocation', wanted),
  };
}

function isExhausted(error: unknown): boolean {
  return error instanceof DomainError && error.code === 'POOL_EXHAUSTED';
}

async function codesOf(em: Em, allocationId: Id): Promise<Code[]> {
  const items = await em.find(CodeAllocationItem, { allocationId }, { disableIdentityMap: true });
  const where = { id: { $in: items.map(({ codeId }) => codeId) } };
  return em.find(Code, where, { orderBy: { id: 'asc' }, disableIdentityMap: true });
}

function textsOf(codes: readonly Code[]): string[] {
  return codes.flatMap(({ codeText }) => codeText ?? []);
}

function refuse(code: AllocateCodesRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
