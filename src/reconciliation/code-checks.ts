import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'USES_OVER_LIMIT',
    invariant: 'I1',
    holder: 'DATABASE',
    means: 'More redemptions hold a use of the code than its limit allows.',
    remedy: 'Reverse what is too much, or raise the limit of the code.',
  },
  {
    kind: 'USED_DIFFERS',
    invariant: 'I3',
    holder: 'DATABASE',
    means: 'The code counts other uses than the redemptions that hold one.',
    remedy: 'Find out who wrote past the program; then set code.used to the count, and raise code.version.',
  },
  {
    kind: 'USE_NUMBERS_DIFFER',
    invariant: 'I3',
    holder: 'DATABASE',
    means: 'Use numbers of the code are missing, or above the last one that was given.',
    remedy: 'A redemption was deleted or changed by hand: bring it back from a backup.',
  },
] as const satisfies readonly Check[];

interface UsesRow {
  readonly id: string;
  readonly useLimit: number;
  readonly used: number;
  readonly lastUseNo: number;
  readonly held: number;
  readonly numbered: number;
  readonly highest: number;
}

/** A reversal that gives its use back keeps the use number and gives up `user_use_no`. */
const SELECT_USES = `
  select cast(c.id as char) as id, c.use_limit as useLimit, c.used, c.last_use_no as lastUseNo,
      count(r.user_use_no) as held, count(r.use_no) as numbered, cast(coalesce(max(r.use_no), 0) as unsigned) as highest
    from code c force index (primary)
    left join redemption r force index (uq_redemption__code_use)
      on r.tenant_id = c.tenant_id and r.code_id = c.id and r.use_no is not null
   where c.tenant_id = ? and c.id in (?)
   group by c.tenant_id, c.id, c.use_limit, c.used, c.last_use_no
  having held <> c.used or numbered <> c.last_use_no or highest <> c.last_use_no
      or (c.use_limit > 0 and held > c.use_limit)`;

/** The counters of codes against their redemptions. Deleted codes and codes of voided batches keep theirs. */
export class CodeChecks implements DatabaseChecks {
  readonly name = 'codes';
  readonly checks = CHECKS;

  constructor(private readonly rows: Rows) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.idPages(tenantId, 'code');
  }

  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const rows = await this.rows.read<UsesRow>(tenantId, SELECT_USES, [ids]);
    return rows.flatMap(findingsOf);
  }
}

function findingsOf({ id, useLimit, used, lastUseNo, held, numbered, highest }: UsesRow): Finding[] {
  const found: Finding[] = [];
  if (useLimit > 0 && held > useLimit)
    found.push(finding('USES_OVER_LIMIT', id, { redemptions: held, limit: useLimit }));
  else if (held !== used) found.push(finding('USED_DIFFERS', id, { used, redemptions: held }));
  if (numbered !== lastUseNo || highest !== lastUseNo)
    found.push(finding('USE_NUMBERS_DIFFER', id, { last: lastUseNo, numbered, highest }));
  return found;
}
