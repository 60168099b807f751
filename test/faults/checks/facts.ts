import { Cluster, Redis } from 'ioredis';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { clusterAddress, isClusterUrl } from '../../../src/platform/redis/redis-address.js';
import { pendingJobs } from '../pending-jobs.js';

/** What the stores hold of a tenant, asked for directly: not by the product's code, which may share a fault. */
export interface Facts {
  /** Without those of large batches and of imports. */
  readonly codes: readonly CodeFact[];
  readonly batches: readonly BatchFact[];
  /** What the tenant's quota counts. */
  readonly codesIssued: number;
  readonly redemptions: readonly RedemptionFact[];
  readonly orders: readonly OrderFact[];
  readonly grants: readonly GrantFact[];
  readonly subscriptions: readonly SubscriptionFact[];
  readonly events: readonly EventFact[];
  readonly usage: readonly UsageFact[];
  readonly counter: { readonly lastSeq: number; readonly handledSeq: number };
  readonly redis: RedisFacts;
}

export interface CodeFact {
  readonly id: string;
  readonly digest: string;
  readonly useLimit: number;
  readonly used: number;
  readonly lastUseNo: number;
  readonly version: number;
}

export interface BatchFact {
  readonly id: string;
  readonly status: string;
  readonly requested: number;
  readonly generated: number;
  /** Rows. */
  readonly codes: number;
}

export interface RedemptionFact {
  readonly id: string;
  readonly status: string;
  readonly codeId: string;
  readonly campaignId: string;
  readonly userId: string;
  readonly useNo: number | null;
  readonly userUseNo: number | null;
  readonly key: string | null;
  readonly productCode: string;
  readonly abortReason: string | null;
}

export interface OrderFact {
  readonly id: string;
  readonly userId: string;
  readonly status: string;
  readonly subscriptionId: string | null;
}

export interface GrantFact {
  readonly redemptionId: string;
  readonly rewardNo: number;
  readonly status: string;
  readonly targetId: string;
}

export interface SubscriptionFact {
  readonly id: string;
  readonly userId: string;
  readonly startedMs: number;
  readonly expiresMs: number | null;
}

export interface EventFact {
  readonly id: string;
  readonly type: string;
  readonly seq: number;
  readonly redemptionId: string | null;
  /** Of `redemption_settled`: COMMITTED or REFUSED. */
  readonly status: string | null;
  /** How many rewards it lists. */
  readonly rewards: number;
}

export interface UsageFact {
  readonly campaignId: string;
  readonly userId: string;
  readonly uses: number;
}

export interface RedisFacts {
  readonly nowMs: number;
  /** Of all open claims, `<redemption id>|<digest>`. */
  readonly open: readonly { readonly member: string; readonly deadlineMs: number }[];
  /** Ids of the jobs whose deferred redemption is not settled yet. */
  readonly jobs: readonly string[];
  /** Redemption ids of the open claims, by the digest of their code. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /** Copies of codes by digest; a copy that is only a version is none. */
  readonly copies: Readonly<Record<string, { readonly used: number; readonly version: number }>>;
}

export interface Addresses {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

export async function readFacts({ databaseUrl, redisUrl }: Addresses, tenantId: string): Promise<Facts> {
  const uri = databaseUrl.replace(/^mariadb:/, 'mysql:');
  // As text, because a number cannot hold an id.
  const connection = await createConnection({ uri, supportBigNumbers: true });
  const redis = connected(redisUrl);
  try {
    return { ...(await databaseFacts(connection, tenantId)), redis: await redisFacts(redis, tenantId) };
  } finally {
    redis.disconnect();
    await connection.end();
  }
}

function connected(redisUrl: string): Redis | Cluster {
  return isClusterUrl(redisUrl) ? new Cluster([...clusterAddress(redisUrl).nodes]) : new Redis(redisUrl);
}

async function databaseFacts(connection: Connection, tenantId: string): Promise<Omit<Facts, 'redis'>> {
  const read = async <Row>(sql: string): Promise<Row[]> => {
    const [rows] = await connection.query<RowDataPacket[]>(sql, [tenantId]);
    return rows as Row[];
  };
  // All of one moment: what is written and handled between two queries would look like a gap.
  await connection.query('set session transaction isolation level repeatable read');
  await connection.query('start transaction with consistent snapshot, read only');
  const codes = await read<CodeFact>(`select cast(c.id as char) as id, c.code_digest as digest,
    c.use_limit as useLimit, c.used, c.last_use_no as lastUseNo, c.version from code c
    join code_batch b on b.tenant_id = c.tenant_id and b.id = c.batch_id
    left join code_import i on i.tenant_id = b.tenant_id and i.id = b.id
    where c.tenant_id = ? and b.recipe is null and i.id is null`);
  const batches =
    await read<BatchFact>(`select cast(b.id as char) as id, b.status, cast(b.requested as signed) as requested,
    cast(b.\`generated\` as signed) as \`generated\`, (select count(*) from code c
    where c.tenant_id = b.tenant_id and c.batch_id = b.id) as codes from code_batch b where b.tenant_id = ?`);
  const [{ codesIssued } = { codesIssued: 0 }] = await read<Pick<Facts, 'codesIssued'>>(
    'select cast(codes_issued as signed) as codesIssued from tenant where id = ?',
  );
  const redemptions = await read<RedemptionFact>(`select cast(id as char) as id, status,
    cast(code_id as char) as codeId, cast(campaign_id as char) as campaignId, cast(user_id as char) as userId,
    use_no as useNo, user_use_no as userUseNo, idempotency_key as \`key\`, product_code as productCode,
    abort_reason as abortReason from redemption where tenant_id = ? order by id`);
  const orders =
    await read<OrderFact>(`select cast(id as char) as id, cast(user_id as char) as userId, status,
    cast(subscription_id as char) as subscriptionId from \`order\` where tenant_id = ?`);
  const grants =
    await read<GrantFact>(`select cast(redemption_id as char) as redemptionId, reward_no as rewardNo,
    status, cast(target_id as char) as targetId from reward_grant where tenant_id = ?`);
  const subscriptions = await read<SubscriptionFact>(`select cast(id as char) as id,
    cast(user_id as char) as userId, ${asMs('started_at')} as startedMs, ${asMs('expires_at')} as expiresMs
    from subscription where tenant_id = ?`);
  const events =
    await read<EventFact>(`select concat(tenant_id, '-', seq) as id, type, cast(seq as signed) as seq,
    json_unquote(json_extract(payload, '$.redemptionId')) as redemptionId,
    json_unquote(json_extract(payload, '$.status')) as status,
    cast(coalesce(json_length(payload, '$.rewards'), 0) as signed) as rewards
    from outbox_event where tenant_id = ? order by seq`);
  const usage = await read<UsageFact>(`select cast(campaign_id as char) as campaignId,
    cast(user_id as char) as userId, cast(uses as signed) as uses from campaign_usage where tenant_id = ?`);
  const [counter = { lastSeq: 0, handledSeq: 0 }] = await read<Facts['counter']>(
    `select cast(last_seq as signed) as lastSeq, cast(coalesce((select min(seq) from event_consumer e
    where e.tenant_id = c.tenant_id), 0) as signed) as handledSeq from outbox_counter c where tenant_id = ?`,
  );
  return { codes, batches, codesIssued, redemptions, orders, grants, subscriptions, events, usage, counter };
}

/** Milliseconds since 1970 of a column that holds UTC, whatever the session's time zone. */
function asMs(column: string): string {
  return `cast(timestampdiff(microsecond, '1970-01-01', ${column}) div 1000 as signed)`;
}

async function redisFacts(redis: Redis | Cluster, tenantId: string): Promise<RedisFacts> {
  // By a script, because these commands name no key, and a cluster would ask any node.
  const asked = async (...command: string[]): Promise<string[]> => {
    const text = 'return redis.call(unpack(ARGV))';
    return (await redis.eval(text, 1, `{${tenantId}}:open`, ...command)) as string[];
  };
  const [seconds, microseconds] = await asked('TIME');
  const nowMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  const flat = await redis.zrange(`{${tenantId}}:open`, '0', '-1', 'WITHSCORES');
  const open = pairs(flat).map(([member, score]) => ({ member, deadlineMs: Number(score) }));
  const claims: Record<string, string[]> = {};
  const copies: Record<string, { used: number; version: number }> = {};
  for (const key of await asked('KEYS', `{${tenantId}}:claims:*`))
    claims[afterLastColon(key)] = await redis.hkeys(key);
  for (const key of await asked('KEYS', `{${tenantId}}:code:*`)) {
    const [id, used, version] = await redis.hmget(key, 'id', 'used', 'version');
    if (typeof id === 'string')
      copies[afterLastColon(key)] = { used: Number(used), version: Number(version) };
  }
  const jobs = await pendingJobs(redis, tenantId);
  return { nowMs, open, jobs, claims, copies };
}

/** RESP3 gives pairs, RESP2 one flat list. */
function pairs(reply: readonly (string | readonly string[])[]): [string, string][] {
  const flat = reply.flat();
  return flat.flatMap((member, at) =>
    at % 2 === 0 ? [[member, flat[at + 1] ?? '0'] as [string, string]] : [],
  );
}

function afterLastColon(key: string): string {
  return key.slice(key.lastIndexOf(':') + 1);
}
