import type { MikroORM } from '@mikro-orm/core';
import type { AccessRefusal } from '../graphql/actor.js';
import type { Id } from '../platform/ids.js';
import { gatheredByTenant } from '../platform/scheduling/gathered.js';
import { systemEm, tenantEm } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import { within } from '../platform/scheduling/timeout.js';
import type { TenantStatus } from '../tenancy/tenant.entity.js';
import type { UserStatus } from './users/user.entity.js';

/** Whose access is judged: the staff of a tenant have no rows. */
export interface Subject {
  readonly tenantId: string;
  readonly userId?: Id;
}

/**
 * How often an active tenant's status, and the users whose rows have changed, are read. Sockets are judged as often,
 * so a change takes effect for requests and for events within a second, on every process.
 */
export const STATUS_TTL_MS = 400;
/** A user's status is kept for longer, because a change of the row drops it: most requests then read no user. */
const USER_TTL_MS = 10_000;
/** Changes are seen for as long as an older status may be kept, and the five seconds that their commit may take. */
const CHANGED_WITHIN_S = 15;
const BATCH_MAX = 1000;

interface UserKey {
  readonly tenantId: string;
  readonly userId: Id;
}

/**
 * Whether a caller may do anything at all: the tenant and the user exist and are ACTIVE. While the database is away
 * nothing commits, so the last known status stands. The commit judges both once more, the user under lock.
 */
export class AccessService {
  private readonly tenants: ReadCache<TenantStatus>;
  private readonly users: ReadCache<UserStatus>;
  private readonly userReads: { readonly load: (key: UserKey) => Promise<UserStatus | null> };

  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
  ) {
    this.userReads = gatheredByTenant(async (tenantId, keys) => this.readUsers(tenantId, keys), BATCH_MAX);
    const kept = { missingTtlMs: STATUS_TTL_MS, outlastsStore: true };
    this.tenants = new ReadCache(
      async (tenantId) => within(this.timeoutMs, 'database', this.readTenant(tenantId)),
      { ...kept, ttlMs: STATUS_TTL_MS },
    );
    this.users = new ReadCache(
      async (tenantId, userId) =>
        within(this.timeoutMs, 'database', this.userReads.load({ tenantId, userId })),
      { ...kept, ttlMs: USER_TTL_MS },
    );
  }

  /** @throws StoreUnavailableError when the database does not answer and the status was not known before */
  async refusalOf({ tenantId, userId }: Subject): Promise<AccessRefusal | null> {
    // The tenant first: reading it drops the statuses of users that have changed.
    if ((await this.tenants.find(tenantId, '')) !== 'ACTIVE') return 'TENANT_NOT_ACTIVE';
    if (userId === undefined) return null;
    return (await this.users.find(tenantId, userId)) === 'ACTIVE' ? null : 'USER_DISABLED';
  }

  /** Call it after the commit of a change: this process goes by it at once, the others within a second. */
  changed({ tenantId, userId }: Subject): void {
    if (userId === undefined) this.tenants.invalidate(tenantId, '');
    else this.users.invalidate(tenantId, userId);
  }

  private async readTenant(tenantId: string): Promise<TenantStatus | null> {
    const rows = await systemEm(this.orm).execute<{ status: TenantStatus; userId: Id | null }[]>(
      `select tenant.status, cast(user.id as char) as userId
       from tenant left join user on user.tenant_id = tenant.id
         and user.changed_at > current_timestamp(3) - interval ${CHANGED_WITHIN_S} second
       where tenant.id = ?`,
      [tenantId],
    );
    for (const { userId } of rows) if (userId !== null) this.users.invalidate(tenantId, userId);
    return rows[0]?.status ?? null;
  }

  /** Raw, because every user's first request comes this way. */
  private async readUsers(tenantId: string, keys: readonly UserKey[]): Promise<(UserStatus | null)[]> {
    const rows = await tenantEm(this.orm, tenantId).execute<{ id: Id; status: UserStatus }[]>(
      'select cast(id as char) as id, status from user where tenant_id = ? and id in (?)',
      [tenantId, keys.map(({ userId }) => userId)],
    );
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    return keys.map(({ userId }) => statuses.get(userId) ?? null);
  }
}
