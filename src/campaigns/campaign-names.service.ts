import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { sortedIds, type Id } from '../platform/ids.js';
import { gatheredByTenant } from '../platform/scheduling/gathered.js';
import { Campaign } from './campaign.entity.js';

const CAMPAIGNS_AT_ONCE = 500;

interface Key {
  readonly tenantId: string;
  readonly id: Id;
}

/** The names of campaigns for lists that refer to them: those of a page are read by one statement. */
export class CampaignNames {
  private readonly names;

  /** @param readOrm where lists are read, which may take long */
  constructor(readOrm: MikroORM) {
    this.names = gatheredByTenant(async (tenantId, keys: readonly Key[]) => {
      const rows = await tenantEm(readOrm, tenantId).find(
        Campaign,
        { id: { $in: sortedIds(keys.map(({ id }) => id)) } },
        { fields: ['id', 'name'], disableIdentityMap: true },
      );
      const byId = new Map(rows.map(({ id, name }) => [id, name]));
      return keys.map(({ id }) => byId.get(id) ?? null);
    }, CAMPAIGNS_AT_ONCE);
  }

  async of(tenantId: string, id: Id): Promise<string | null> {
    return this.names.load({ tenantId, id });
  }
}
