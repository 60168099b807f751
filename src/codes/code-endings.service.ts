import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { sortedIds, type Id } from '../platform/ids.js';
import { gatheredByTenant } from '../platform/scheduling/gathered.js';
import { Code } from './code.entity.js';

const CODES_AT_ONCE = 500;

interface Key {
  readonly tenantId: string;
  readonly id: Id;
}

/** The last four characters of codes for lists that refer to them: those of a page are read by one statement. */
export class CodeEndings {
  private readonly endings;

  /** @param readOrm where lists are read, which may take long */
  constructor(readOrm: MikroORM) {
    this.endings = gatheredByTenant(async (tenantId, keys: readonly Key[]) => {
      const rows = await tenantEm(readOrm, tenantId).find(
        Code,
        { id: { $in: sortedIds(keys.map(({ id }) => id)) } },
        { fields: ['id', 'lastFour'], disableIdentityMap: true },
      );
      const byId = new Map(rows.map(({ id, lastFour }) => [id, lastFour]));
      return keys.map(({ id }) => byId.get(id) ?? null);
    }, CODES_AT_ONCE);
  }

  /** Without hyphens. */
  async of(tenantId: string, id: Id): Promise<string | null> {
    return this.endings.load({ tenantId, id });
  }
}
