import { parseClaim, readStoredClaim } from '../redemption/claim/claim.js';
import type { AbortService } from '../redemption/commit/abort.service.js';
import type { Check, Finding, RedisChecks, TenantKey } from './drift.js';
import type { HeldClaim, ReconciliationRedis } from './reconciliation.redis.js';
import type { Rows } from './rows.js';

/** By this time after its deadline the sweeper has aborted a claim. */
const OVERDUE_MS = 60_000;

const CHECKS = [
  {
    kind: 'CLAIM_LEFT_OPEN',
    invariant: 'I3',
    means: 'The redemption of a claim is settled in the database, and the claim still holds a use.',
    remedy: 'Repair confirms it or releases the use, as the database says.',
  },
  {
    kind: 'CLAIM_OVERDUE',
    invariant: 'I6',
    means: 'A claim was neither committed nor aborted a minute after its deadline, and holds a use.',
    remedy: 'Repair aborts it. Check that a process with the role worker or all runs: its sweeper does that.',
  },
  {
    kind: 'CLAIM_WITHOUT_OPEN_ENTRY',
    invariant: 'I3',
    means: 'A claim is not in the list of open claims under its deadline, so the sweeper does not find it.',
    remedy: 'Repair adds it.',
  },
  {
    kind: 'OPEN_ENTRY_WITHOUT_CLAIM',
    invariant: 'I3',
    means: 'The list of open claims names a claim that does not exist.',
    remedy: 'Repair removes it.',
  },
  {
    kind: 'CLAIM_UNREADABLE',
    invariant: 'I3',
    means: 'A claim cannot be read, so it cannot be settled, and it holds a use for ever.',
    remedy: 'Find out what wrote it; if its redemption is not in the database, remove it by hand.',
  },
] as const satisfies readonly Check[];
type Kind = (typeof CHECKS)[number]['kind'];

const SETTLED_BY: ReadonlySet<string> = new Set(['CLAIM_LEFT_OPEN', 'CLAIM_OVERDUE']);

interface Entry {
  readonly entry: string;
  readonly redemptionId: string;
  readonly digest: string;
}

const SELECT_SETTLED = `select cast(id as char) as id, status from redemption force index (primary)
   where tenant_id = ? and id in (?)`;

/** Open claims, in their hashes and in the tenant's list, by what the database says of their redemptions. */
export class ClaimChecks implements RedisChecks {
  readonly name = 'claims';
  readonly checks = CHECKS;
  readonly keyKinds = ['claims', 'open'];

  constructor(
    private readonly redis: ReconciliationRedis,
    private readonly rows: Rows,
    private readonly aborts: Pick<AbortService, 'abort'>,
  ) {}

  async *pages(tenantId: string, keys: readonly TenantKey[]): AsyncGenerator<readonly string[]> {
    for (const { kind, rest } of keys) {
      yield* kind === 'open' ? this.redis.openEntries(tenantId) : this.redis.claimEntries(tenantId, rest);
    }
  }

  async judge(tenantId: string, items: readonly string[]): Promise<Finding[]> {
    const entries = items.map(entryOf);
    const nowMs = await this.redis.nowMs(tenantId);
    const held = await this.redis.claims(tenantId, entries);
    const settled = await this.settled(tenantId, entries);
    return entries.flatMap((entry, at) => {
      const one = held[at] ?? { claim: null, entryMs: null };
      return kindsOf(entry, one, settled.get(entry.redemptionId), nowMs).map((kind) => ({
        kind,
        item: entry.entry,
        subject: entry.redemptionId,
        // The token tells this claim from a later one.
        evidence: storedOf(entry.redemptionId, one.claim)?.token ?? '',
        details: { redemption: settled.get(entry.redemptionId) ?? null },
      }));
    });
  }

  async repair(tenantId: string, findings: readonly Finding[]): Promise<void> {
    const unlisted = findings.filter(
      ({ kind }) => kind === 'OPEN_ENTRY_WITHOUT_CLAIM' || kind === 'CLAIM_WITHOUT_OPEN_ENTRY',
    );
    for (const { item } of unlisted) {
      const { digest, redemptionId, entry } = entryOf(item);
      await this.redis.mendOpenEntry(tenantId, digest, redemptionId, entry);
    }
    const unsettled = new Map(findings.map(({ item, kind }) => [item, kind]));
    const entries = [...unsettled.keys()]
      .filter((item) => SETTLED_BY.has(unsettled.get(item) ?? ''))
      .map(entryOf);
    const nowMs = await this.redis.nowMs(tenantId);
    const held = await this.redis.claims(tenantId, entries);
    const claims = entries.flatMap((entry, at) => {
      const one = held[at];
      if (one === undefined || one.claim === null) return [];
      // It may have been deferred meanwhile, with a later deadline.
      const isOverdue = kindsOf(entry, one, undefined, nowMs).includes('CLAIM_OVERDUE');
      if (unsettled.get(entry.entry) === 'CLAIM_OVERDUE' && !isOverdue) return [];
      return [parseClaim(tenantId, entry.redemptionId, entry.digest, one.claim)];
    });
    // Where the database has settled the redemption already, giving up finds that, and closes the claim accordingly.
    const requests = claims.map((claim) => ({ claim, reason: 'DEADLINE_PASSED' }));
    if (requests.length > 0) await this.aborts.abort(tenantId, requests);
  }

  /** After the claims: whatever was settled before they were read is found. */
  private async settled(tenantId: string, entries: readonly Entry[]): Promise<ReadonlyMap<string, string>> {
    const ids = entries.map(({ redemptionId }) => redemptionId);
    if (ids.length === 0) return new Map();
    const rows = await this.rows.read<{ id: string; status: string }>(tenantId, SELECT_SETTLED, [ids]);
    return new Map(rows.map(({ id, status }) => [id, status]));
  }
}

/** Null when there is none, or it cannot be read. */
function storedOf(redemptionId: string, claim: string | null) {
  try {
    return claim === null ? null : readStoredClaim(redemptionId, claim);
  } catch {
    return null;
  }
}

function kindsOf(
  { redemptionId }: Entry,
  { claim, entryMs }: HeldClaim,
  settled: string | undefined,
  nowMs: number,
): Kind[] {
  if (claim === null) return entryMs === null ? [] : ['OPEN_ENTRY_WITHOUT_CLAIM'];
  const stored = storedOf(redemptionId, claim);
  if (stored === null) return ['CLAIM_UNREADABLE'];
  const { deadlineMs } = stored;
  // A claim that is about to be closed needs no entry.
  if (settled !== undefined) return ['CLAIM_LEFT_OPEN'];
  const kinds: Kind[] = entryMs === deadlineMs ? [] : ['CLAIM_WITHOUT_OPEN_ENTRY'];
  return nowMs > deadlineMs + OVERDUE_MS ? [...kinds, 'CLAIM_OVERDUE'] : kinds;
}

function entryOf(entry: string): Entry {
  const [redemptionId = '', digest = ''] = entry.split('|');
  return { entry, redemptionId, digest };
}
