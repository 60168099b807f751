import type { Id, IdGenerator } from '../platform/ids.js';
import { insertRows, type RowValues } from '../platform/database/insert-rows.js';
import type { Em } from '../platform/database/orm.js';
import { canonicalize } from './canonical-code.js';
import type { CodeDigester } from './code-digester.js';
import { countedAs, newCodeRow, type CodeOrigin, type OwnTerms } from './code-row.js';
import type { CodeMove } from './code-totals.service.js';
import { Code } from './code.entity.js';

/** The column of the shown text. */
const TEXT_LENGTH_MAX = 40;
const TEXT = /^[0-9A-Za-z-]+$/;
const ROWS_AT_ONCE = 500;

/** A code whose text came from outside: chosen by staff, or made by another system. */
export interface GivenCode extends OwnTerms {
  readonly text: string;
  readonly canonical: string;
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
  async insert(em: Em, origin: CodeOrigin, codes: readonly GivenCode[]): Promise<CodeMove[]> {
    for (let start = 0; start < codes.length; start += ROWS_AT_ONCE) {
      const rows = codes.slice(start, start + ROWS_AT_ONCE).map((code) => this.rowOf(code, origin));
      await insertRows(em, 'code', rows);
    }
    return codes.map((code) => ({ like: countedAs(origin, code), by: 1 }));
  }

  private rowOf(code: GivenCode, origin: CodeOrigin): RowValues {
    const { text, canonical, startsAt, assignedUserId } = code;
    const digest = this.digester.digest(origin.tenantId, canonical, origin.keyId);
    const row = newCodeRow({ id: this.ids.next(), digest, text }, origin, code);
    return { ...row, starts_at: startsAt, assigned_user_id: assignedUserId };
  }
}
