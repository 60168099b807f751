import type { RowCheck, RowFacts } from '../platform/database/row-check.js';
import { totalGaps } from '../platform/database/totals.js';
import { CODE_TOTALS } from './code-totals.service.js';

/**
 * The counters of codes against their redemptions. Deleted codes and codes of voided batches keep theirs. A reversal
 * that gives its use back keeps the use number and gives up `user_use_no`.
 */
const USES: RowFacts = {
  name: 'codes',
  rows: { table: 'code' },
  sql: `
    select cast(c.id as char) as id, c.use_limit as useLimit, c.used, c.last_use_no as lastUseNo,
        count(r.user_use_no) as held, count(r.use_no) as numbered, cast(coalesce(max(r.use_no), 0) as unsigned) as highest
      from code c force index (primary)
      left join redemption r force index (uq_redemption__code_use)
        on r.tenant_id = c.tenant_id and r.code_id = c.id and r.use_no is not null
     where c.tenant_id = :tenant and c.id in (:items)
     group by c.tenant_id, c.id, c.use_limit, c.used, c.last_use_no`,
};
const IS_OVER_LIMIT = 'useLimit > 0 and held > useLimit';

export const CODE_CHECKS: readonly RowCheck[] = [
  {
    kind: 'USES_OVER_LIMIT',
    invariant: 'I1',
    means: 'More redemptions hold a use of the code than its limit allows.',
    remedy: 'Reverse the redemptions above the limit, or raise the limit of the code.',
    facts: USES,
    wrong: IS_OVER_LIMIT,
  },
  {
    kind: 'USED_DIFFERS',
    invariant: 'I3',
    means: 'The used number of the code differs from its redemptions.',
    remedy:
      'Find the change that bypassed the program; then set code.used to the count, and raise code.version.',
    facts: USES,
    wrong: `held <> used and not (${IS_OVER_LIMIT})`,
  },
  {
    kind: 'USE_NUMBERS_DIFFER',
    invariant: 'I3',
    means: 'Use numbers of the code are missing, or higher than the last one.',
    remedy: 'A redemption was deleted or changed by hand: restore it from a backup.',
    facts: USES,
    wrong: 'numbered <> lastUseNo or highest <> lastUseNo',
  },
  {
    kind: 'BATCH_COUNT_DIFFERS',
    invariant: 'I3',
    means: 'A batch has more or fewer codes than its row says.',
    remedy:
      'Codes of a finished batch are never removed, only marked: restore them from a backup. Cancel a batch that is being generated.',
    facts: {
      name: 'batches',
      rows: { table: 'code_batch' },
      // Deleted codes included. True at every instant, also while codes are being made or removed.
      sql: `select cast(b.id as char) as id, b.\`generated\` as stated, (
          select count(*) from code c force index (ix_code__batch)
           where c.batch_id = b.id and c.tenant_id = b.tenant_id) as codes
        from code_batch b force index (primary)
       where b.tenant_id = :tenant and b.id in (:items)`,
    },
    wrong: 'stated <> codes',
  },
  {
    kind: 'LIVE_CODES_DIFFER',
    invariant: 'I1',
    means:
      'The number of live codes of a format is not the sum over its batches; whether codes could be guessed is judged by it.',
    remedy:
      'While no codes are made or deleted, set code_format.live to the sum of code_batch_format.live of the format.',
    facts: {
      name: 'formats',
      rows: { table: 'code_format' },
      sql: `select cast(f.id as char) as id, f.live as counted, cast(coalesce((
          select sum(b.live) from code_batch_format b
           where b.tenant_id = f.tenant_id and b.format_id = f.id), 0) as unsigned) as live
        from code_format f force index (primary) where f.tenant_id = :tenant and f.id in (:items)`,
    },
    wrong: 'counted <> live',
  },
  {
    kind: 'CODE_TOTAL_DIFFERS',
    invariant: 'I3',
    means: 'Totals of lists count other codes of the batch than there are.',
    remedy:
      '`recount` adds what the totals lack. If an older version of the program is not at work, find what bypassed it.',
    facts: {
      name: 'batches',
      rows: { table: 'code_batch', atOnce: 20 },
      sql: `select cast(batch_id as char) as id, count(*) as totals, cast(sum(total) as signed) as missing
        from (${totalGaps(CODE_TOTALS, 'tenant_id = :tenant and batch_id in (:items)')}) gaps group by batch_id`,
    },
  },
  {
    kind: 'TENANT_QUOTA_DIFFERS',
    invariant: 'I1',
    means:
      "The tenant's counter of issued codes is not the number of its codes, those under way included; its quota is judged by the counter.",
    remedy: 'While no codes are made or deleted, set tenant.codes_issued to the number of codes.',
    facts: {
      name: 'tenants',
      rows: 'TENANT',
      // Deleted codes have given their quota back, and so have all codes of a batch that was voided or given up. A batch
      // under way holds the quota of all its codes from the beginning.
      sql: `select t.id, t.codes_issued as issued, (
          select count(*) from code c
            left join code_batch b on b.tenant_id = c.tenant_id and b.id = c.batch_id
           where c.tenant_id = t.id and c.deleted_at is null and b.voided_at is null
             and b.status not in ('FAILED', 'CANCELLED')) + (
          select cast(coalesce(sum(w.requested - w.\`generated\`), 0) as unsigned) from code_batch w
           where w.tenant_id = t.id and w.status in ('PENDING', 'GENERATING')) as codes
        from tenant t where t.id in (:items)`,
    },
    wrong: 'issued <> codes',
  },
];
