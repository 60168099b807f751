import type { Id } from '../platform/ids.js';
import type { RowKeys } from '../platform/database/delete-rows.js';
import type { RowValues } from '../platform/database/insert-rows.js';
import { lastFourOf } from './canonical-code.js';
import type { BatchRecipe } from './code-batch.entity.js';
import type { CountedCode } from './code-totals.service.js';

const DAY_MS = 86_400_000;

/** What the codes of a batch have in common when they are stored. */
export interface CodeOrigin {
  readonly tenantId: string;
  readonly campaignId: Id;
  readonly batchId: Id;
  readonly recipe: BatchRecipe;
  /** Of the pepper. */
  readonly keyId: number;
  readonly issuedAt: Date;
}

/** What a code may have of its own; null takes what the rule says, and where it says nothing, none. */
export interface OwnTerms {
  readonly useLimit: number | null;
  readonly startsAt: Date | null;
  readonly expiresAt: Date | null;
  readonly assignedUserId: Id | null;
}

const NO_TERMS: OwnTerms = { useLimit: null, startsAt: null, expiresAt: null, assignedUserId: null };

/** As a code is counted when it is stored. */
export function countedAs(origin: CodeOrigin, own: OwnTerms = NO_TERMS): CountedCode {
  const { tenantId, campaignId, batchId, issuedAt } = origin;
  const { validDays, useLimit } = origin.recipe.rule;
  const endsAt = validDays === null ? null : new Date(issuedAt.getTime() + validDays * DAY_MS);
  return {
    tenantId,
    campaignId,
    batchId,
    status: 'ACTIVE',
    issuedAt,
    startsAt: own.startsAt,
    expiresAt: own.expiresAt ?? endsAt,
    assignedUserId: own.assignedUserId,
    useLimit: own.useLimit ?? useLimit,
    used: 0,
  };
}

/** Codes as statements name them that change them by their keys. */
export function codeKeys(tenantId: string, codes: readonly { readonly id: Id }[]): RowKeys {
  return { table: 'code', prefix: { tenant_id: tenantId }, column: 'id', ids: codes.map(({ id }) => id) };
}

/** The row of a new code; what is not named here has the default of its column. */
export function newCodeRow(
  { id, digest, text }: { readonly id: Id; readonly digest: string; readonly text: string },
  origin: CodeOrigin,
  own?: OwnTerms,
): RowValues {
  const { tenantId, campaignId, batchId, recipe, keyId, issuedAt } = origin;
  const { status, useLimit, expiresAt = null } = countedAs(origin, own);
  return {
    tenant_id: tenantId,
    id,
    code_digest: digest,
    digest_key_id: keyId,
    code_text: recipe.codeVisibility === 'VISIBLE' ? text : null,
    last_four: lastFourOf(text),
    campaign_id: campaignId,
    batch_id: batchId,
    status,
    use_limit: useLimit,
    expires_at: expiresAt,
    issued_at: issuedAt,
  };
}
