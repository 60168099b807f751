import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'REDEMPTION_WITHOUT_ORDER',
    invariant: 'I2',
    holder: 'DATABASE',
    means: 'A redemption was committed, and its order is missing.',
    remedy: 'Both are written by one transaction: bring the order back from a backup.',
  },
  {
    kind: 'ORDER_DIFFERS',
    invariant: 'I2',
    holder: 'DATABASE',
    means: 'The order of a redemption is of another user or type, or in a status that does not fit.',
    remedy: 'Compare both rows; what stands in the redemption decides.',
  },
  {
    kind: 'REDEMPTION_WITHOUT_USE',
    invariant: 'I2',
    holder: 'DATABASE',
    means:
      'A committed redemption has no use number, so nothing keeps its user from redeeming the code again.',
    remedy: 'A row was changed by hand: bring its numbers back from a backup.',
  },
  {
    kind: 'TOMBSTONE_HOLDS_USE',
    invariant: 'I2',
    holder: 'DATABASE',
    means: 'A redemption that was given up holds a use number or an idempotency key.',
    remedy: 'Set use_no, user_use_no and idempotency_key of the ABORTED row to null.',
  },
  {
    kind: 'REDEMPTION_WITHOUT_CODE',
    invariant: 'I2',
    holder: 'DATABASE',
    means: 'The code of a redemption is not there, or is of another campaign or batch.',
    remedy: 'Codes are never removed, only marked: bring the row back from a backup.',
  },
  {
    kind: 'REDEMPTION_WITHOUT_USER',
    invariant: 'I2',
    holder: 'DATABASE',
    means: 'The user of a redemption is not there.',
    remedy: 'Bring the row back from a backup.',
  },
] as const satisfies readonly Check[];

interface RedemptionFacts {
  readonly id: string;
  readonly status: string;
  readonly isNumbered: number;
  readonly holdsUse: number;
  readonly hasKey: number;
  readonly orderStatus: string | null;
  readonly isItsOrder: number | null;
  readonly isItsCode: number;
  readonly hasUser: number;
}

const SELECT_FACTS = `
  select cast(r.id as char) as id, r.status, r.use_no is not null as isNumbered,
      r.user_use_no is not null as holdsUse, r.idempotency_key is not null as hasKey, o.status as orderStatus,
      o.type = 'REDEMPTION' and o.user_id = r.user_id as isItsOrder, c.id is not null as isItsCode,
      u.id is not null as hasUser
    from redemption r force index (primary)
    left join \`order\` o on o.tenant_id = r.tenant_id and o.id = r.id
    left join code c on c.tenant_id = r.tenant_id and c.id = r.code_id
      and c.campaign_id = r.campaign_id and c.batch_id = r.batch_id
    left join user u on u.tenant_id = r.tenant_id and u.id = r.user_id
   where r.tenant_id = ? and r.id in (?)`;

const ORDER_STATUSES: Readonly<Record<string, readonly string[]>> = {
  COMMITTED: ['FINISHED'],
  REVERSED: ['FINISHED', 'REFUNDED'],
  ABORTED: ['FAILED'],
};

/** Redemptions as rows, and what each points to. */
export class RedemptionChecks implements DatabaseChecks {
  readonly name = 'redemptions';
  readonly checks = CHECKS;

  constructor(private readonly rows: Rows) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.idPages(tenantId, 'redemption');
  }

  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const rows = await this.rows.read<RedemptionFacts>(tenantId, SELECT_FACTS, [ids]);
    return rows.flatMap((row) => [...ownFindings(row), ...orderFindings(row)]);
  }
}

function ownFindings({ id, status, ...row }: RedemptionFacts): Finding[] {
  if (status === 'ABORTED') {
    const isEmpty = row.isNumbered === 0 && row.holdsUse === 0 && row.hasKey === 0;
    return isEmpty ? [] : [finding('TOMBSTONE_HOLDS_USE', id)];
  }
  const found: Finding[] = [];
  // A reversal may have given the use back; its number it keeps.
  if (row.isNumbered === 0 || (row.holdsUse === 0 && status === 'COMMITTED'))
    found.push(finding('REDEMPTION_WITHOUT_USE', id));
  if (row.isItsCode === 0) found.push(finding('REDEMPTION_WITHOUT_CODE', id));
  if (row.hasUser === 0) found.push(finding('REDEMPTION_WITHOUT_USER', id));
  return found;
}

function orderFindings({ id, status, orderStatus, isItsOrder }: RedemptionFacts): Finding[] {
  if (orderStatus === null)
    return status === 'ABORTED' ? [] : [finding('REDEMPTION_WITHOUT_ORDER', id, { status })];
  const fits = isItsOrder === 1 && (ORDER_STATUSES[status] ?? []).includes(orderStatus);
  return fits ? [] : [finding('ORDER_DIFFERS', id, { status, order: orderStatus })];
}
