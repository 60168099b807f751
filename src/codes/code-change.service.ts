import { LockMode } from '@mikro-orm/core';
import { z } from 'zod';
import { Campaign } from '../campaigns/campaign.entity.js';
import { DomainError } from '../platform/errors.js';
import { isId, sortedIds, type Id } from '../platform/ids.js';
import { countNumber, instant, parseInput } from '../platform/input.js';
import { nextVersion } from '../platform/database/change-row.js';
import { updateRows } from '../platform/database/delete-rows.js';
import type { Em } from '../platform/database/orm.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { assertUser } from './assigned-user.js';
import { CodeBatch, isGivenUp } from './code-batch.entity.js';
import { isSet } from '../platform/assert.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { codeChanged } from './code-events.js';
import type { CodeRefresh } from './code-refresh.js';
import { codeKeys } from './code-row.js';
import { moveCodeTotals } from './code-totals.service.js';
import { isSecret, type GuessSafety } from './guess-safety.service.js';
import { Code } from './code.entity.js';
import type { CodeChangeRefusal } from './code.errors.js';
import { ROWS_MAX } from '../platform/recording/change-record.js';
import { operationChanges } from '../platform/recording/recording-em.js';

const DELETED_AT_ONCE_MAX = 1000;
/** All that may change: the text of a code never does. An end in the past ends it. */
const updateCodeInput = z.strictObject({
  useLimit: countNumber(0, 2_147_483_647).nullish(),
  expiresAt: instant.nullish(),
  assignedUserId: z.string().max(24).nullish(),
});

export interface CodeChangeCollaborators extends Pick<PlatformServices, 'clock' | 'transactions' | 'outbox'> {
  readonly tenants: TenantService;
  readonly refresh: CodeRefresh;
  readonly guesses: GuessSafety;
}

/** Changes of single codes by staff: each takes effect at the next redemption, and tells of itself. */
export class CodeChangeService {
  constructor(private readonly its: CodeChangeCollaborators) {}

  /** Switches a code off, or on again. What is so already stays as it is. @throws DomainError one of {@link SET_CODE_ENABLED_REFUSALS} */
  async setEnabled(tenantId: string, id: Id, enabled: boolean): Promise<Code> {
    return this.change(tenantId, id, async (em, code) => {
      if (code.status === 'INACTIVE')
        refuse('CODE_NOT_ACTIVATED', 'The code has not been activated yet.', 'codeId');
      const status = enabled ? 'ACTIVE' : 'DISABLED';
      if (code.status !== status) await em.nativeUpdate(Code, { id }, { status, version: nextVersion() });
    });
  }

  /** Changes limit, end and the user who alone may redeem. Null takes the end or the user away. @throws DomainError one of {@link UPDATE_CODE_REFUSALS} */
  async update(tenantId: string, id: Id, input: unknown): Promise<Code> {
    const { useLimit, expiresAt, assignedUserId } = parseInput<typeof updateCodeInput, CodeChangeRefusal>(
      updateCodeInput,
      input,
      {
        input: 'INPUT_NOT_ALLOWED',
        useLimit: 'USE_LIMIT_OUT_OF_RANGE',
        expiresAt: 'EXPIRY_NOT_ALLOWED',
        assignedUserId: 'USER_NOT_FOUND',
      },
    );
    return this.change(tenantId, id, async (em, code) => {
      const startsAt = code.startsAt ?? null;
      if (expiresAt && startsAt !== null && expiresAt <= startsAt) {
        refuse('EXPIRY_NOT_ALLOWED', 'A code cannot end before it begins.', 'expiresAt');
      }
      if (isSet(assignedUserId)) await assertUser(em, assignedUserId, 'assignedUserId');
      const limit = useLimit ?? code.useLimit;
      const changed = await em.nativeUpdate(
        Code,
        { id, ...(limit > 0 && { used: { $lte: limit } }) },
        {
          useLimit: limit,
          version: nextVersion(),
          ...(expiresAt !== undefined && { expiresAt }),
          ...(assignedUserId !== undefined && { assignedUserId }),
        },
      );
      if (changed === 0)
        refuse('USE_LIMIT_BELOW_USED', `The code has been used ${code.used} times already.`, 'useLimit');
    });
  }

  /** Takes codes out of use for good, all of them or none, and gives their quota back. @throws DomainError one of {@link DELETE_CODES_REFUSALS} */
  async delete(tenantId: string, ids: readonly Id[]): Promise<number> {
    const wanted = new Set(ids);
    if (wanted.size === 0 || wanted.size > DELETED_AT_ONCE_MAX) {
      refuse('CODE_COUNT_OUT_OF_RANGE', `Name 1 to ${DELETED_AT_ONCE_MAX} codes.`, 'codeIds');
    }
    const deleted = await this.its.transactions.run(tenantId, async (em) => {
      const codes = [...wanted].every(isId) ? await lockCodes(em, sortedIds(wanted)) : [];
      if (codes.length !== wanted.size)
        refuse('CODE_NOT_FOUND', 'The tenant has no code with one of these ids.', 'codeIds');
      // Read after the codes are locked: a batch that was voided or given up has given back the quota of all its codes.
      const freed = await freedBatches(em, codes);
      for (const { id } of codes.slice(0, ROWS_MAX)) await operationChanges(em, Code, { id });
      const deletedAt = new Date(this.its.clock.nowMs());
      await updateRows(em, codeKeys(tenantId, codes), 'deleted_at = ?, version = version + 1', [deletedAt]);
      const after = codes.map(({ id, codeDigest, version }) => ({ id, codeDigest, version: version + 1 }));
      this.its.outbox.append(em, tenantId, after.map(codeChanged));
      const givenBack = codes.filter((code) => !freed.has(code.batchId));
      await this.its.tenants.giveBackCodes(em, tenantId, givenBack.length);
      for (const [batchId, some] of Map.groupBy(givenBack, (code) => code.batchId))
        await this.its.guesses.giveBack(em, tenantId, batchId, some);
      await moveCodeTotals(
        em,
        codes.map((like) => ({ like, by: -1 })),
      );
      return after;
    });
    await this.its.refresh.changed(tenantId, deleted);
    return deleted.length;
  }

  private async change(
    tenantId: string,
    id: Id,
    apply: (em: Em, code: Code) => Promise<void>,
  ): Promise<Code> {
    const changed = await this.its.transactions.run(tenantId, async (em) => {
      const [before] = isId(id) ? await lockCodes(em, [id]) : [];
      if (before === undefined)
        return refuse('CODE_NOT_FOUND', 'The tenant has no code with this id.', 'codeId');
      await apply(em, before);
      const [after = before] = await lockCodes(em, [id]);
      if (after.version !== before.version) this.its.outbox.append(em, tenantId, [codeChanged(after)]);
      if (isSecret(after) && !isSecret(before)) await this.countSecret(em, after);
      await moveCodeTotals(em, [
        { like: before, by: -1 },
        { like: after, by: 1 },
      ]);
      return after;
    });
    await this.its.refresh.changed(tenantId, [changed]);
    return changed;
  }

  /** Of a campaign that has ended, and of a batch that is void, no code is redeemed any more, and none is counted. */
  private async countSecret(em: Em, code: Code): Promise<void> {
    const shared = { lockMode: LockMode.PESSIMISTIC_READ, disableIdentityMap: true } as const;
    const campaign = await em.findOne(Campaign, { id: code.campaignId }, shared);
    const freed = await freedBatches(em, [code]);
    if (campaign?.status !== 'ENDED' && freed.size === 0) await this.its.guesses.countSecret(em, code);
  }
}

/** In the order in which every transaction locks them. By a forced index, because a scan would wait for other rows too. */
const BY_KEY = {
  orderBy: { id: 'asc' },
  indexHint: 'force index (primary)',
  disableIdentityMap: true,
} as const;

/** The codes that are not deleted, locked. */
async function lockCodes(em: Em, ids: readonly Id[]): Promise<Code[]> {
  const where = { id: { $in: [...ids] }, deletedAt: null };
  return em.find(Code, where, { ...BY_KEY, lockMode: LockMode.PESSIMISTIC_WRITE });
}

/** Those that hold no quota. */
async function freedBatches(em: Em, codes: readonly Code[]): Promise<Set<Id>> {
  const where = { id: { $in: sortedIds(codes.map((code) => code.batchId)) } };
  const batches = await em.find(CodeBatch, where, { ...BY_KEY, lockMode: LockMode.PESSIMISTIC_READ });
  return new Set(
    batches.filter((batch) => isSet(batch.voidedAt) || isGivenUp(batch)).map((batch) => batch.id),
  );
}

function refuse(code: CodeChangeRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
