import type { Check, Finding, RedisChecks, TenantKey } from './drift.js';
import type { ReconciliationRedis } from './reconciliation.redis.js';
import type { Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'KEY_MARKER_MISMATCHED',
    invariant: 'I2',
    means:
      'The marker of an idempotency key names a redemption that does not exist, or is of another user, key or code.',
    remedy: 'Repair drops the marker; the database is then asked for the key.',
  },
  {
    kind: 'DONE_MARKER_WITHOUT_REDEMPTION',
    invariant: 'I2',
    means: 'Redis marks a code as redeemed by a user, and the database has no such redemption.',
    remedy: 'Repair drops the marker.',
  },
] as const satisfies readonly Check[];

interface LedTo {
  readonly id: string;
  readonly status: string;
  readonly userId: string;
  readonly idempotencyKey: string | null;
  readonly holdsUse: number;
  readonly digest: string | null;
}

/** A marker as it was read: whose it is, and what it says. */
interface Marker {
  readonly item: string;
  readonly kind: (typeof CHECKS)[number]['kind'];
  readonly text: string;
  readonly userId: string;
  /** The idempotency key; null for "done". */
  readonly key: string | null;
  readonly redemptionId: string;
  readonly digest: string;
}

const SELECT_REDEMPTIONS = `
  select cast(r.id as char) as id, r.status, cast(r.user_id as char) as userId,
      r.idempotency_key as idempotencyKey, r.user_use_no is not null as holdsUse, c.code_digest as digest
    from redemption r force index (primary)
    left join code c on c.tenant_id = r.tenant_id and c.id = r.code_id
   where r.tenant_id = ? and r.id in (?)`;

const SELECT_DIGESTS = 'select code_digest as digest from code where tenant_id = ? and code_digest in (?)';

/** What lets Redis answer a repeated attempt by itself: markers of idempotency keys, and of codes that were redeemed. */
export class MarkerChecks implements RedisChecks {
  readonly name = 'markers';
  readonly checks = CHECKS;
  readonly keyKinds = ['key', 'done'];

  constructor(
    private readonly redis: ReconciliationRedis,
    private readonly rows: Rows,
  ) {}

  async *pages(_tenantId: string, keys: readonly TenantKey[]): AsyncGenerator<readonly string[]> {
    yield keys.map(({ kind, rest }) => `${kind}:${rest}`);
  }

  /** Markers first, then claims, then rows: a claim that is settled meanwhile has its row before. */
  async judge(tenantId: string, items: readonly string[]): Promise<Finding[]> {
    const texts = await this.redis.texts(tenantId, items);
    const markers = items.flatMap((item, at) => markerOf(item, texts[at] ?? null));
    if (markers.length === 0) return [];
    const entries = markers.map(({ redemptionId, digest }) => ({ redemptionId, digest, entry: '' }));
    const claims = await this.redis.claims(tenantId, entries);
    const ids = [...new Set(markers.map(({ redemptionId }) => redemptionId))];
    const rows = await this.rows.read<LedTo>(tenantId, SELECT_REDEMPTIONS, [ids]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const digests = [...new Set(markers.map(({ digest }) => digest))];
    const codes = await this.rows.read<{ digest: string }>(tenantId, SELECT_DIGESTS, [digests]);
    const known = new Set(codes.map(({ digest }) => digest));
    return markers.flatMap((marker, at) => {
      const row = byId.get(marker.redemptionId);
      const isOpen = (claims[at]?.claim ?? null) !== null;
      if (isOpen || (row !== undefined && leadsHome(marker, row, known))) return [];
      const { kind, item, redemptionId, text } = marker;
      return [
        { kind, item, subject: redemptionId, evidence: text, details: { status: row?.status ?? null } },
      ];
    });
  }

  async repair(tenantId: string, findings: readonly Finding[]): Promise<void> {
    for (const { item, evidence } of findings) await this.redis.forgetText(tenantId, item, evidence);
  }
}

/** A digest that no code has is that of a former pepper: markers outlive the move to another one. */
function leadsHome({ userId, key, digest }: Marker, row: LedTo, known: ReadonlySet<string>): boolean {
  if (row.status === 'ABORTED' || row.userId !== userId) return false;
  if (row.digest !== digest && known.has(digest)) return false;
  if (key !== null) return row.idempotencyKey === key;
  // A confirmation that comes late sets the marker after the use was given back: the next attempt reads that, and drops it.
  return row.holdsUse === 1 || row.status === 'REVERSED';
}

function markerOf(item: string, text: string | null): Marker[] {
  const [, kind, userId = '', rest = ''] = /^(key|done):(\d+):(.*)$/s.exec(item) ?? [];
  if (text === null || kind === undefined) return [];
  if (kind === 'done') {
    const its = { userId, key: null, redemptionId: text, digest: rest };
    return [{ item, text, kind: 'DONE_MARKER_WITHOUT_REDEMPTION', ...its }];
  }
  const [redemptionId = '', digest = ''] = text.split('|');
  return [{ item, text, kind: 'KEY_MARKER_MISMATCHED', userId, key: rest, redemptionId, digest }];
}
