import type { MikroORM } from '@mikro-orm/core';
import type { AccessRefusal, PersonRefusal } from '../graphql/actor.js';
import type { Id } from '../platform/ids.js';
import { gatheredByTenant } from '../platform/scheduling/gathered.js';
import { systemEm, tenantEm } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import { within } from '../platform/scheduling/timeout.js';
import type { TenantStatus } from '../tenancy/tenant.entity.js';
import type { IdentityPorts } from './identity-ports.js';
import type { UserStatus } from './users/user.entity.js';

/** Whose access is judged: the staff of a tenant have no rows. */
export interface Subject {
  readonly tenantId: string;
  readonly userId?: Id;
  readonly nodeId?: Id;
}
interface Person extends Subject {
  readonly nodeId?: never;
}

/**
 * How often an active tenant's status, the users whose rows have changed, and nodes are read. Sockets are judged as
 * often, so a change takes effect for requests and for events within a second, on every process.
 */
export const STATUS_TTL_MS = 400;
/** A user's status is kept for longer, because a change of the row drops it: most requests then read no user. */
const USER_TTL_MS = 10_000;
/** Changes are seen for as long as an older status may be kept, and the five seconds that their commit may take. */
const CHANGED_WITHIN_S = 15;
const BATCH_MAX = 1000;

interface RowKey {
  readonly tenantId: string;
  readonly id: Id;
}
const idsOf = (keys: readonly RowKey[]): Id[] => keys.map(({ id }) => id);

/** What is known of the rows with these ids, in their order; null where there is no such row. */
type ReadRows<T> = (tenantId: string, ids: readonly Id[]) => Promise<(T | null)[]>;

/**
 * Whether a caller may do anything at all: the tenant and the user exist and are ACTIVE, and the node exists. While the
 * database is away nothing commits, so the last known status stands. The commit judges tenant and user once more, the
 * user under lock.
 */
export class AccessService {
  private readonly tenants: ReadCache<TenantStatus>;
  private readonly users: ReadCache<UserStatus>;
  private readonly nodes: ReadCache<Id>;

  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
    ports: Pick<IdentityPorts, 'findNodes'>,
  ) {
    this.tenants = this.cached(async (tenantId) => this.readTenant(tenantId), STATUS_TTL_MS);
    this.users = this.cachedRows(async (tenantId, ids) => this.readUsers(tenantId, ids), USER_TTL_MS);
    // Nodes are few, and a row that is deleted leaves no note of a change.
    this.nodes = this.cachedRows(async (tenantId, ids) => {
      const there = await ports.findNodes(tenantId, ids);
      return ids.map((id) => (there.has(id) ? id : null));
    }, STATUS_TTL_MS);
  }

  /** @throws StoreUnavailableError when the database does not answer and the status was not known before */
  async refusalOf(person: Person): Promise<PersonRefusal | null>;
  async refusalOf(subject: Subject): Promise<AccessRefusal | null>;
  async refusalOf({ tenantId, userId, nodeId }: Subject): Promise<AccessRefusal | null> {
    // The tenant first: reading it drops the statuses of users that have changed.
    if ((await this.tenants.find(tenantId, '')) !== 'ACTIVE') return 'TENANT_NOT_ACTIVE';
    if (userId !== undefined)
      return (await this.users.find(tenantId, userId)) === 'ACTIVE' ? null : 'USER_DISABLED';
    if (nodeId === undefined) return null;
    return (await this.nodes.find(tenantId, nodeId)) === null ? 'NODE_NOT_FOUND' : null;
  }

  /** Call it after the commit of a change: this process goes by it at once, the others within a second. */
  changed({ tenantId, userId, nodeId }: Subject): void {
    if (userId !== undefined) this.users.invalidate(tenantId, userId);
    else if (nodeId !== undefined) this.nodes.invalidate(tenantId, nodeId);
    else this.tenants.invalidate(tenantId, '');
  }

  private cached<T extends string>(
    read: (tenantId: string, id: Id) => Promise<T | null>,
    ttlMs: number,
  ): ReadCache<T> {
    const inTime = async (tenantId: string, id: Id) => within(this.timeoutMs, 'database', read(tenantId, id));
    return new ReadCache(inTime, { ttlMs, missingTtlMs: STATUS_TTL_MS, outlastsStore: true });
  }

  /** Rows that are asked for at once are read in one query. */
  private cachedRows<T extends string>(read: ReadRows<T>, ttlMs: number): ReadCache<T> {
    const reads = gatheredByTenant(
      async (tenantId, keys: readonly RowKey[]) => read(tenantId, idsOf(keys)),
      BATCH_MAX,
    );
    return this.cached(async (tenantId, id) => reads.load({ tenantId, id }), ttlMs);
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
  private async readUsers(tenantId: string, ids: readonly Id[]): Promise<(UserStatus | null)[]> {
    const rows = await tenantEm(this.orm, tenantId).execute<{ id: Id; status: UserStatus }[]>(
      'select cast(id as char) as id, status from user where tenant_id = ? and id in (?)',
      [tenantId, ids],
    );
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    return ids.map((id) => statuses.get(id) ?? null);
  }
}
