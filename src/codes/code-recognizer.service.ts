import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import { canonicalize } from './canonical-code.js';
import type { CodeDigester } from './code-digester.js';
import type { CodeFormat } from './code-format.js';
import { CodeFormatRow } from './code-format.entity.js';
import { matchesAnyFormat } from './code-matcher.js';

/** Tells what was typed from what can be a code at all, before anything is looked up. */
export class CodeRecognizer {
  private readonly cache: ReadCache<readonly CodeFormat[]>;

  constructor(
    private readonly orm: MikroORM,
    private readonly digester: CodeDigester,
  ) {
    this.cache = new ReadCache<readonly CodeFormat[]>(async (tenantId) => this.formats(tenantId));
  }

  /** The one form of all spellings; null for what cannot be any code of any tenant. */
  canonicalize(text: string): string | null {
    return canonicalize(text);
  }

  /** What a code is looked up by: one digest a pepper, the current pepper's first. */
  digests(tenantId: string, canonical: string): string[] {
    return this.digester.digests(tenantId, canonical);
  }

  /** Whether a stored digest is that of the code's text, by the pepper of this number. */
  isDigestOf(tenantId: string, text: string, digest: string, keyId: number): boolean {
    const canonical = canonicalize(text);
    if (canonical === null || !this.digester.keyIds.includes(keyId)) return false;
    return this.digester.digest(tenantId, canonical, keyId) === digest;
  }

  /**
   * Whether the code fits one of the tenant's formats. The formats are kept for a second per epoch: codes of a new
   * format raise the tenant's epoch, and a copy from before it is not asked again.
   */
  async fits(tenantId: string, canonical: string, epoch: string): Promise<boolean> {
    return matchesAnyFormat(canonical, (await this.cache.find(tenantId, epoch)) ?? []);
  }

  /** The formats of the tenant's codes, as they stand now. */
  async formats(tenantId: string): Promise<CodeFormat[]> {
    const rows = await tenantEm(this.orm, tenantId).find(CodeFormatRow, {}, { disableIdentityMap: true });
    return rows.map((row) => row.format);
  }
}
