import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { Money } from '../platform/decimal.js';
import type { Id } from '../platform/ids.js';
import { peekUsage, type LimitedCampaign } from './campaign-usage.service.js';

/** What of a campaign's budget is used; a limit of 0 is none. */
export interface BudgetUse {
  readonly campaignId: Id;
  readonly name: string;
  readonly budgetUses: number;
  readonly usedUses: number;
  readonly budgetValue: string;
  readonly usedValue: string;
  /** Of the limit that is nearer, 0 to 100. */
  readonly percentage: number;
}

interface Row extends Omit<BudgetUse, 'usedUses' | 'percentage'> {
  readonly usedUses: string;
  readonly share: string;
}

/** The counters have a row from the first redemption under a budget on. */
const FULLEST = `select cast(c.id as char) as campaignId, c.name, c.budget_uses as budgetUses, c.budget_value as budgetValue,
    u.uses as usedUses, u.value as usedValue,
    greatest(if(c.budget_uses > 0, u.uses / c.budget_uses, 0), if(c.budget_value > 0, u.value / c.budget_value, 0)) as share
  from campaign c
  join campaign_usage u on u.tenant_id = c.tenant_id and u.campaign_id = c.id and u.user_id = 0 and u.day = 0
 where c.tenant_id = ? and c.status = 'ACTIVE' and c.deleted_at is null and (c.budget_uses > 0 or c.budget_value > 0)
having share >= ? order by share desc, c.id desc limit ?`;

/** How far budgets are used, by the counters that every commit moves. */
export class CampaignBudgets {
  /** @param orm where lists are read */
  constructor(private readonly orm: MikroORM) {}

  /** What of one campaign's budget is used, also where no redemption has been counted under it yet. */
  async used(tenantId: string, campaign: LimitedCampaign): Promise<{ uses: number; value: string }> {
    const wanted = { campaign, userId: '0', atMs: 0, value: new Money(0) };
    const usage = await peekUsage(tenantEm(this.orm, tenantId), tenantId, [wanted]);
    const { uses, value } = usage.spent(campaign);
    return { uses, value: value.toFixed() };
  }

  /** ACTIVE campaigns that have used at least this share of a budget, the fullest first. */
  async fullest(tenantId: string, share: number, limit: number): Promise<BudgetUse[]> {
    const rows = await tenantEm(this.orm, tenantId).execute<Row[]>(FULLEST, [tenantId, share, limit]);
    return rows.map(({ usedUses, share: used, ...row }) => ({
      ...row,
      usedUses: Number(usedUses),
      percentage: Math.floor(Math.min(1, Number(used)) * 1000) / 10,
    }));
  }
}
