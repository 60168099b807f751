import type { MikroORM } from '@mikro-orm/core';
import type { AccessRefusal, KeyRefusal, PersonRefusal } from '../graphql/actor.js';
import { systemClock, type Clock } from '../platform/clock.js';
import type { Id } from '../platform/ids.js';
import { gatheredByTenant } from '../platform/scheduling/gathered.js';
import { systemEm, tenantEm } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import { within } from '../platform/scheduling/timeout.js';
import type { TenantStatus } from '../tenancy/tenant.entity.js';
import type { IdentityPorts } from './identity-ports.js';
import { readKeyStates, refusalOfKey, type KeyState } from './partners/key-states.js';
import type { UserStatus } from './users/user.entity.js';

/** The caller to check. Staff are checked by their session, which ends when they are disabled. */
export interface Subject {
  readonly tenantId: string;
  readonly userId?: Id | undefined;
  readonly nodeId?: Id | undefined;
  /** Missing in a token that an operator made: then no session is checked. */
  readonly sessionId?: Id | undefined;
  /** The API key of a partner's server; with a user, the key that made the token. */
  readonly keyId?: Id | undefined;
}
interface Keyed {
  readonly tenantId: string;
  readonly userId?: Id | undefined;
  readonly keyId: Id;
}
interface Person extends Subject {
  readonly nodeId?: never;
  readonly keyId?: never;
}

/**
 * How often the status of an active tenant, its changed users and sessions, and nodes are read. Sockets are checked as
 * often, so a change takes effect for requests and events within a second, on every process.
 */
export const STATUS_TTL_MS = 400;
/** Users and sessions are cached for longer, because a changed row drops them: most requests read neither. */
const ROW_TTL_MS = 10_000;
/** Covers the longest time a status is cached, plus five seconds for the commit of a change. */
const CHANGED_WITHIN_S = 15;
const BATCH_MAX = 1000;

interface RowKey {
  readonly tenantId: string;
  readonly id: Id;
}
const idsOf = (keys: readonly RowKey[]): Id[] => keys.map(({ id }) => id);

/** A changed row, or the row of the tenant. */
interface StatusRow {
  readonly kind: 'TENANT' | 'USER' | 'SESSION';
  readonly id: Id;
  /** Users and tenants share these words. */
  readonly status: TenantStatus | 'OPEN' | 'ENDED';
}

/** A branch for each table: joined, the changed rows of one table would multiply those of the other. */
const READ_STATUS = `select 'TENANT' as kind, '' as id, cast(status as char) as status from tenant where id = ?
  union all select 'USER', cast(id as char), cast(status as char) from user
    where tenant_id = ? and changed_at > current_timestamp(3) - interval ${CHANGED_WITHIN_S} second
  union all select 'SESSION', cast(id as char), if(ended_at is null, 'OPEN', 'ENDED') from session
    where tenant_id = ? and changed_at > current_timestamp(3) - interval ${CHANGED_WITHIN_S} second`;

/** The values of the rows with these ids, in the same order; null for a missing row. */
type ReadRows<T> = (tenantId: string, ids: readonly Id[]) => Promise<(T | null)[]>;

/**
 * Whether a caller may do anything at all: tenant and user exist and are ACTIVE, the session of the token has not ended,
 * and the node exists. While the database is away nothing commits, so the last known status stands. The commit of a
 * redemption checks tenant and user again, the user under lock.
 */
export class AccessService {
  private readonly tenants: ReadCache<TenantStatus>;
  private readonly users: ReadCache<UserStatus>;
  private readonly sessions: ReadCache<Id>;
  private readonly nodes: ReadCache<Id>;
  private readonly keys: ReadCache<KeyState>;

  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
    ports: Pick<IdentityPorts, 'findNodes'>,
    private readonly clock: Clock = systemClock,
  ) {
    this.tenants = this.cached(async (tenantId) => this.readTenant(tenantId), STATUS_TTL_MS);
    this.users = this.cachedRows(async (tenantId, ids) => this.readUsers(tenantId, ids), ROW_TTL_MS);
    // An ended or deleted session stays so.
    this.sessions = this.cachedRows(
      async (tenantId, ids) => this.readSessions(tenantId, ids),
      ROW_TTL_MS,
      ROW_TTL_MS,
    );
    // There are few nodes, and a deleted row leaves no note of its change.
    this.nodes = this.cachedRows(async (tenantId, ids) => {
      const there = await ports.findNodes(tenantId, ids);
      return ids.map((id) => (there.has(id) ? id : null));
    }, STATUS_TTL_MS);
    this.keys = this.cachedRows(async (tenantId, ids) => readKeyStates(orm, tenantId, ids), STATUS_TTL_MS);
  }

  /** @throws StoreUnavailableError when the database does not answer and the status was not known before */
  async refusalOf(person: Person): Promise<PersonRefusal | null>;
  async refusalOf(subject: Subject): Promise<AccessRefusal | null>;
  async refusalOf({ tenantId, userId, nodeId, sessionId, keyId }: Subject): Promise<AccessRefusal | null> {
    // The tenant first: reading it drops cached users and sessions that have changed.
    if ((await this.tenants.find(tenantId, '')) !== 'ACTIVE') return 'TENANT_NOT_ACTIVE';
    if (userId !== undefined && (await this.users.find(tenantId, userId)) !== 'ACTIVE')
      return 'USER_DISABLED';
    if (sessionId !== undefined && (await this.sessions.find(tenantId, sessionId)) === null)
      return 'SESSION_ENDED';
    if (keyId !== undefined) return this.refusalOfKey({ tenantId, userId, keyId });
    if (nodeId === undefined) return null;
    return (await this.nodes.find(tenantId, nodeId)) === null ? 'NODE_NOT_FOUND' : null;
  }

  /** Checks the key of a partner's server, or the key that made a user's token. */
  async refusalOfKey({ tenantId, userId, keyId }: Keyed): Promise<KeyRefusal | null> {
    return refusalOfKey(await this.keyState(tenantId, keyId), userId, this.clock.nowMs());
  }

  /** Null for a key that does not exist. */
  async keyState(tenantId: string, keyId: Id): Promise<KeyState | null> {
    return this.keys.find(tenantId, keyId);
  }

  /** The refusal known to this process without a read; null also if nothing is known. */
  knownRefusalOf({ tenantId, userId, nodeId, sessionId, keyId }: Subject): AccessRefusal | null {
    if ((this.tenants.known(tenantId, '') ?? 'ACTIVE') !== 'ACTIVE') return 'TENANT_NOT_ACTIVE';
    if (userId !== undefined && (this.users.known(tenantId, userId) ?? 'ACTIVE') !== 'ACTIVE')
      return 'USER_DISABLED';
    if (sessionId !== undefined && this.sessions.known(tenantId, sessionId) === null) return 'SESSION_ENDED';
    const key = keyId === undefined ? undefined : this.keys.known(tenantId, keyId);
    if (key !== undefined) return refusalOfKey(key, userId, this.clock.nowMs());
    return nodeId !== undefined && this.nodes.known(tenantId, nodeId) === null ? 'NODE_NOT_FOUND' : null;
  }

  /**
   * Call it after the commit of a change, and for a session after its end. The change takes effect in this process at
   * once, in the others within a second.
   */
  changed({ tenantId, userId, nodeId, sessionId, keyId }: Subject): void {
    if (sessionId !== undefined) this.sessions.note(tenantId, sessionId, null);
    else if (keyId !== undefined) this.keys.invalidate(tenantId, keyId);
    else if (userId !== undefined) this.users.invalidate(tenantId, userId);
    else if (nodeId !== undefined) this.nodes.invalidate(tenantId, nodeId);
    else this.tenants.invalidate(tenantId, '');
  }

  private cached<T extends object | string>(
    read: (tenantId: string, id: Id) => Promise<T | null>,
    ttlMs: number,
    missingTtlMs = STATUS_TTL_MS,
  ): ReadCache<T> {
    const inTime = async (tenantId: string, id: Id) => within(this.timeoutMs, 'database', read(tenantId, id));
    return new ReadCache(inTime, { ttlMs, missingTtlMs, outlastsStore: true });
  }

  /** Concurrent lookups are read in one query. */
  private cachedRows<T extends object | string>(
    read: ReadRows<T>,
    ttlMs: number,
    missingTtlMs = STATUS_TTL_MS,
  ): ReadCache<T> {
    const reads = gatheredByTenant(
      async (tenantId, keys: readonly RowKey[]) => read(tenantId, idsOf(keys)),
      BATCH_MAX,
    );
    return this.cached(async (tenantId, id) => reads.load({ tenantId, id }), ttlMs, missingTtlMs);
  }

  private async readTenant(tenantId: string): Promise<TenantStatus | null> {
    const rows = await systemEm(this.orm).execute<StatusRow[]>(READ_STATUS, [tenantId, tenantId, tenantId]);
    for (const { kind, id, status } of rows) {
      if (kind === 'USER' && status === 'DISABLED') this.users.note(tenantId, id, status);
      else if (kind === 'USER') this.users.invalidate(tenantId, id);
      else if (kind === 'SESSION' && status === 'ENDED') this.sessions.note(tenantId, id, null);
    }
    const tenant = rows.find(({ kind }) => kind === 'TENANT');
    return (tenant?.status as TenantStatus | undefined) ?? null;
  }

  /** Raw SQL: the first request of every user runs it. */
  private async readUsers(tenantId: string, ids: readonly Id[]): Promise<(UserStatus | null)[]> {
    const rows = await tenantEm(this.orm, tenantId).execute<{ id: Id; status: UserStatus }[]>(
      'select cast(id as char) as id, status from user where tenant_id = ? and id in (?)',
      [tenantId, ids],
    );
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    return ids.map((id) => statuses.get(id) ?? null);
  }

  private async readSessions(tenantId: string, ids: readonly Id[]): Promise<(Id | null)[]> {
    const rows = await tenantEm(this.orm, tenantId).execute<{ id: Id }[]>(
      'select cast(id as char) as id from session where tenant_id = ? and id in (?) and ended_at is null',
      [tenantId, ids],
    );
    const open = new Set(rows.map(({ id }) => id));
    return ids.map((id) => (open.has(id) ? id : null));
  }
}
