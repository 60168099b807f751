import type { MikroORM } from '@mikro-orm/core';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import { statesSql } from './code-clauses.js';
import type { BatchStatus } from './code-batch.entity.js';
import { ofTotals } from './code-filter.js';
import {
  batchState,
  CODE_STATES,
  EFFECTIVE_STATUS_DESCRIPTION,
  EFFECTIVE_STATUSES,
  type EffectiveStatus,
} from './effective-status.js';
import type { EffectiveStatusService } from './effective-status.service.js';

/** The statuses of which codes are counted, as the schema names them. */
export const COUNTED_STATUS = {
  name: 'CodeEffectiveStatus',
  values: EFFECTIVE_STATUSES,
  description: EFFECTIVE_STATUS_DESCRIPTION,
} as const;

export interface StatusCount {
  readonly status: EffectiveStatus;
  readonly count: number;
}

/** How many batches a campaign has. */
export interface BatchCounts {
  readonly byStatus: readonly { readonly status: BatchStatus; readonly count: number }[];
  readonly frozen: number;
  readonly voided: number;
  /** Made to be activated at sale, and not activated yet. */
  readonly awaitingActivation: number;
}

interface BatchRow extends Omit<BatchCounts, 'byStatus'> {
  readonly status: BatchStatus;
  readonly count: number;
}

const BATCHES = `select status, count(*) as count, cast(sum(frozen_at is not null and voided_at is null) as double) as frozen,
    cast(sum(voided_at is not null) as double) as voided,
    cast(sum(awaits_activation and voided_at is null) as double) as awaitingActivation
  from code_batch where tenant_id = ? and campaign_id = ? group by status order by status`;

/** Counts codes and batches of a campaign, by the totals that every change moves. */
export class CodeCounts {
  /** @param orm where lists are read */
  constructor(
    private readonly orm: MikroORM,
    private readonly states: Pick<EffectiveStatusService, 'scope'>,
  ) {}

  /** Codes by what they come to at this instant, by their batches and by themselves: as if the campaign ran. */
  async byStatus(tenantId: string, campaignId: Id): Promise<StatusCount[]> {
    const em = tenantEm(this.orm, tenantId);
    const scope = await this.states.scope(em, campaignId);
    const byState = Map.groupBy(scope.blockedBatches, (batch) => batchState(batch));
    const blocked = [...byState].flatMap(([status, batches]) =>
      status === null ? [] : [{ status, ids: batches.map(({ id }) => id) }],
    );
    const ofBatches = blocked.map(() => 'when batch_id in (?) then ?').join(' ');
    const ofCodes = CODE_STATES.map((state) => `when ${ofTotals(statesSql([state], scope))} then '${state}'`);
    const rows = await em.execute<StatusCount[]>(
      `select case ${ofBatches} ${ofCodes.join(' ')} end as status, cast(sum(total) as double) as count
        from code_total where tenant_id = ? and campaign_id = ? group by 1 having count <> 0`,
      [...blocked.flatMap(({ status, ids }) => [ids, status]), tenantId, campaignId],
    );
    return rows.toSorted((a, b) => b.count - a.count);
  }

  async batches(tenantId: string, campaignId: Id): Promise<BatchCounts> {
    const rows = await batchRows(tenantEm(this.orm, tenantId), tenantId, campaignId);
    const sum = (of: keyof Omit<BatchCounts, 'byStatus'>): number =>
      rows.reduce((total, row) => total + row[of], 0);
    return {
      byStatus: rows.map(({ status, count }) => ({ status, count })),
      frozen: sum('frozen'),
      voided: sum('voided'),
      awaitingActivation: sum('awaitingActivation'),
    };
  }
}

async function batchRows(em: Em, tenantId: string, campaignId: Id): Promise<BatchRow[]> {
  return em.execute<BatchRow[]>(BATCHES, [tenantId, campaignId]);
}
