import type { Campaign } from '../campaigns/campaign.entity.js';
import type { Id, IdGenerator } from '../platform/ids.js';
import { insertRows, type RowValues } from '../platform/database/insert-rows.js';
import type { Em } from '../platform/database/orm.js';
import { canonicalize, lastFourOf } from './canonical-code.js';
import type { CodeDigester } from './code-digester.js';
import type { CodeMove, CountedCode } from './code-totals.service.js';
import { Code } from './code.entity.js';

const DAY_MS = 86_400_000;
/** The column of the shown text. */
const TEXT_LENGTH_MAX = 40;
const TEXT = /^[0-9A-Za-z-]+$/;
const ROWS_AT_ONCE = 500;

/** A code whose text came from outside: chosen by staff, or made by another system. */
export interface GivenCode {
  readonly text: string;
  readonly canonical: string;
  /** Null takes what the campaign's rule says. */
  readonly useLimit: number | null;
  readonly startsAt: Date | null;
  readonly expiresAt: Date | null;
  readonly assignedUserId: Id | null;
}

/** What all codes of a batch share. */
export interface GivenOrigin {
  readonly campaign: Campaign;
  readonly batchId: Id;
  /** Of the pepper. */
  readonly keyId: number;
  readonly issuedAt: Date;
}

/** The canonical form of a text that a code may have; null for one that no holder could read back from it. */
export function canonicalText(text: string): string | null {
  if (text.length > TEXT_LENGTH_MAX || !TEXT.test(text)) return null;
  return canonicalize(text);
}

/** The rows of codes that came from outside. */
export class GivenCodes {
  constructor(
    private readonly ids: IdGenerator,
    private readonly digester: CodeDigester,
  ) {}

  /** Batches of those codes that the tenant has already, under any pepper; deleted ones too, because no code is issued twice. */
  async batchesOf(em: Em, tenantId: string, canonicals: readonly string[]): Promise<ReadonlyMap<string, Id>> {
    if (canonicals.length === 0) return new Map();
    const byDigest = new Map(
      canonicals.flatMap((canonical) =>
        this.digester.digests(tenantId, canonical).map((digest) => [digest, canonical] as const),
      ),
    );
    const where = { codeDigest: { $in: [...byDigest.keys()] } };
    const fields = ['codeDigest', 'batchId'] as const;
    const found = await em.find(Code, where, { fields, disableIdentityMap: true });
    return new Map(found.map(({ codeDigest, batchId }) => [byDigest.get(codeDigest) ?? '', batchId]));
  }

  /**
   * Raw SQL, because these are bulk inserts.
   * @returns how totals have to be moved, last in the transaction
   * @throws UniqueConstraintViolationException where another call has just added one of them
   */
  async insert(em: Em, origin: GivenOrigin, codes: readonly GivenCode[]): Promise<CodeMove[]> {
    for (let start = 0; start < codes.length; start += ROWS_AT_ONCE) {
      const rows = codes.slice(start, start + ROWS_AT_ONCE).map((code) => this.rowOf(code, origin));
      await insertRows(em, 'code', rows);
    }
    return codes.map((code) => ({ like: countedAs(code, origin), by: 1 }));
  }

  /** What is not named here has the default of its column. */
  private rowOf(code: GivenCode, origin: GivenOrigin): RowValues {
    const { campaign, batchId, keyId, issuedAt } = origin;
    const { tenantId } = campaign;
    const { status, useLimit, startsAt = null, expiresAt = null } = countedAs(code, origin);
    return {
      tenant_id: tenantId,
      id: this.ids.next(),
      code_digest: this.digester.digest(tenantId, code.canonical, keyId),
      digest_key_id: keyId,
      code_text: campaign.codeVisibility === 'VISIBLE' ? code.text : null,
      last_four: lastFourOf(code.text),
      campaign_id: campaign.id,
      batch_id: batchId,
      status,
      use_limit: useLimit,
      starts_at: startsAt,
      expires_at: expiresAt,
      assigned_user_id: code.assignedUserId,
      issued_at: issuedAt,
    };
  }
}

function countedAs(code: GivenCode, { campaign, batchId, issuedAt }: GivenOrigin): CountedCode {
  const { tenantId, id: campaignId, rule } = campaign;
  const { startsAt, assignedUserId } = code;
  const validUntil = rule.validDays === null ? null : new Date(issuedAt.getTime() + rule.validDays * DAY_MS);
  return {
    tenantId,
    campaignId,
    batchId,
    status: 'ACTIVE',
    issuedAt,
    startsAt,
    expiresAt: code.expiresAt ?? validUntil,
    assignedUserId,
    useLimit: code.useLimit ?? rule.useLimit,
    used: 0,
  };
}
