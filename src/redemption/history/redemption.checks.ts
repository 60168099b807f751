import type { RowCheck, RowFacts } from '../../platform/database/row-check.js';
import { totalGaps } from '../../platform/database/totals.js';
import { REDEMPTION_TOTALS } from './redemption-totals.js';

/** Redemptions as rows, and what each points to. */
const REDEMPTIONS: RowFacts = {
  name: 'redemptions',
  rows: { table: 'redemption' },
  sql: `
    select cast(r.id as char) as id, r.status, o.status as orderStatus, r.use_no is not null as isNumbered,
        r.user_use_no is not null as hasUse, r.idempotency_key is not null as hasKey,
        r.reversed_at is not null as isStated, o.type = 'REDEMPTION' and o.user_id = r.user_id as isItsOrder, c.id is not null as isItsCode,
        u.id is not null as hasUser
      from redemption r force index (primary)
      left join \`order\` o on o.tenant_id = r.tenant_id and o.id = r.id
      left join code c on c.tenant_id = r.tenant_id and c.id = r.code_id
        and c.campaign_id = r.campaign_id and c.batch_id = r.batch_id
      left join user u on u.tenant_id = r.tenant_id and u.id = r.user_id
     where r.tenant_id = :tenant and r.id in (:items)`,
};
const IS_ORDER_STATUS = `(status = 'COMMITTED' and orderStatus = 'FINISHED')
  or (status = 'REVERSED' and orderStatus = 'REFUNDED')
  or (status = 'ABORTED' and orderStatus = 'FAILED')`;

/** The outbox is complete since its oldest event; events of earlier changes may have been deleted. */
const eventIsKeptSince = (
  instant: string,
): string => `${instant} > (select case when oldest.seq = 1 then '2000-01-01' else oldest.created_at + interval 1 hour end
  from outbox_event oldest where oldest.tenant_id = r.tenant_id order by oldest.seq limit 1)`;
const EVENT_IS_KEPT = eventIsKeptSince('r.settled_at');
/** The index is named: while the statistics of a growing table are old, the servers read all events for each page. */
const OF_REDEMPTION = 'force index (ix_outbox_event__tenant_subject)';
const EVENTS = `left join outbox_event e ${OF_REDEMPTION} on e.tenant_id = r.tenant_id and e.subject_id = r.id
    and e.type = 'redemption_settled' and json_value(e.payload, '$.status') = 'COMMITTED'`;
const NOT_ABORTED = { table: 'redemption', condition: `t.status <> 'ABORTED'` };

export const REDEMPTION_CHECKS: readonly RowCheck[] = [
  {
    kind: 'REDEMPTION_WITHOUT_ORDER',
    invariant: 'I2',
    means: 'A redemption was committed, and its order is missing.',
    remedy: 'Both are written by one transaction: restore the order from a backup.',
    facts: REDEMPTIONS,
    wrong: `status <> 'ABORTED' and orderStatus is null`,
  },
  {
    kind: 'ORDER_DIFFERS',
    invariant: 'I2',
    means: 'The order of a redemption is of another user or type, or in a status that does not fit.',
    remedy: 'Compare both rows; the redemption decides.',
    facts: REDEMPTIONS,
    wrong: `orderStatus is not null and not (isItsOrder and (${IS_ORDER_STATUS}))`,
  },
  {
    kind: 'REDEMPTION_WITHOUT_USE',
    invariant: 'I2',
    means: 'A committed redemption has no use number, so its user could redeem the code again.',
    remedy: 'A row was changed by hand: restore its numbers from a backup.',
    facts: REDEMPTIONS,
    // A reversal may have given the use back; its number it keeps.
    wrong: `status <> 'ABORTED' and (not isNumbered or (status = 'COMMITTED' and not hasUse))`,
  },
  {
    kind: 'REVERSAL_NOT_STATED',
    invariant: 'I2',
    means: 'A redemption is REVERSED without a row of its reversal, or has such a row and is not REVERSED.',
    remedy: 'A row was changed by hand: restore it from a backup. Use `reverseRedemption`.',
    facts: REDEMPTIONS,
    wrong: `(status = 'REVERSED') <> isStated`,
  },
  {
    kind: 'TOMBSTONE_HOLDS_USE',
    invariant: 'I2',
    means: 'An aborted redemption holds a use number or an idempotency key.',
    remedy: 'Set use_no, user_use_no and idempotency_key of the ABORTED row to null.',
    facts: REDEMPTIONS,
    wrong: `status = 'ABORTED' and (isNumbered or hasUse or hasKey)`,
  },
  {
    kind: 'REDEMPTION_WITHOUT_CODE',
    invariant: 'I2',
    means: 'The code of a redemption is missing, or is of another campaign or batch.',
    remedy: 'Codes are never removed, only marked: restore the row from a backup.',
    facts: REDEMPTIONS,
    wrong: `status <> 'ABORTED' and not isItsCode`,
  },
  {
    kind: 'REDEMPTION_WITHOUT_USER',
    invariant: 'I2',
    means: 'The user of a redemption is missing.',
    remedy: 'Restore the row from a backup.',
    facts: REDEMPTIONS,
    wrong: `status <> 'ABORTED' and not hasUser`,
  },
  {
    kind: 'ORDER_WITHOUT_REDEMPTION',
    invariant: 'I2',
    means: 'An order of type REDEMPTION has no redemption with its number.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
    facts: {
      name: 'orders',
      rows: { table: 'order', condition: `t.type = 'REDEMPTION'` },
      // A FAILED order may outlive the tombstone of its redemption, which is not kept for ever.
      sql: `select cast(o.id as char) as id, o.status from \`order\` o force index (primary)
        left join redemption r on r.tenant_id = o.tenant_id and r.id = o.id
       where o.tenant_id = :tenant and o.id in (:items) and o.type = 'REDEMPTION' and o.status <> 'FAILED'
         and r.id is null`,
    },
  },
  {
    kind: 'EVENT_MISSING',
    invariant: 'I5',
    means: 'A redemption was committed, and the outbox has no event of it or of one of its rewards.',
    remedy: 'Both are written by one transaction: inform its subscribers by hand.',
    facts: {
      name: 'redemptions told',
      rows: NOT_ABORTED,
      sql: `select cast(r.id as char) as id, count(e.seq) as events from redemption r force index (primary) ${EVENTS}
        left join reward_grant g on g.tenant_id = r.tenant_id and g.redemption_id = r.id
          and json_contains(e.payload, json_object('rewardNo', g.reward_no), '$.rewards') = 0
       where r.tenant_id = :tenant and r.id in (:items) and r.status <> 'ABORTED' and ${EVENT_IS_KEPT}
       group by r.id having count(e.seq) = 0 or count(g.reward_no) > 0`,
    },
  },
  {
    kind: 'REVERSAL_EVENT_DIFFERS',
    invariant: 'I5',
    means:
      'A redemption was reversed, and the outbox has no event of it or two; or it was not, and there is one.',
    remedy: 'Both are written by one transaction: inform its subscribers by hand.',
    facts: {
      name: 'reversals told',
      rows: NOT_ABORTED,
      sql: `select cast(r.id as char) as id, r.status, count(e.seq) as events from redemption r force index (primary)
        left join outbox_event e ${OF_REDEMPTION} on e.tenant_id = r.tenant_id and e.subject_id = r.id and e.type = 'redemption_reversed'
       where r.tenant_id = :tenant and r.id in (:items) and r.status <> 'ABORTED'
         and (r.status = 'COMMITTED' or ${eventIsKeptSince('r.reversed_at')})
       group by r.tenant_id, r.id, r.status having count(e.seq) <> (r.status = 'REVERSED')`,
    },
  },
  {
    kind: 'EVENT_TWICE',
    invariant: 'I5',
    means: 'The outbox has two events of one redemption or reward, under different numbers.',
    remedy: 'Consumers drop repeated events, not repeated redemptions: check what they did twice.',
    facts: {
      name: 'redemptions told',
      rows: NOT_ABORTED,
      sql: `select cast(r.id as char) as id, count(e.seq) as events from redemption r force index (primary) ${EVENTS}
       where r.tenant_id = :tenant and r.id in (:items) and r.status <> 'ABORTED'
       group by r.tenant_id, r.id having count(e.seq) > 1 or max(json_length(e.payload, '$.rewards')) > greatest(1,
         (select count(*) from reward_grant g where g.tenant_id = r.tenant_id and g.redemption_id = r.id))`,
    },
  },
  {
    kind: 'EVENT_WITHOUT_REDEMPTION',
    invariant: 'I5',
    means: 'The outbox has a committed event of a redemption that is missing or was aborted.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
    facts: {
      name: 'events',
      rows: { table: 'outbox_event', key: ['seq'], condition: `t.type = 'redemption_settled'` },
      sql: `select cast(e.seq as char) as id, json_value(e.payload, '$.redemptionId') as redemptionId
          from outbox_event e force index (primary)
          left join redemption r on r.tenant_id = e.tenant_id and r.id = e.subject_id and r.status <> 'ABORTED'
         where e.tenant_id = :tenant and e.seq in (:items) and e.type = 'redemption_settled'
           and json_value(e.payload, '$.status') = 'COMMITTED' and r.id is null`,
    },
  },
  {
    kind: 'REDEMPTION_TOTAL_DIFFERS',
    invariant: 'I3',
    means: 'Totals of lists count other redemptions of the campaign than there are.',
    remedy:
      '`recount` adds what the totals lack. If an older version of the program is not at work, find what bypassed it.',
    facts: {
      name: 'campaigns',
      rows: { table: 'campaign', atOnce: 20 },
      sql: `select cast(campaign_id as char) as id, count(*) as totals, cast(sum(total) as signed) as missing
        from (${totalGaps(REDEMPTION_TOTALS, 'tenant_id = :tenant and campaign_id in (:items)')}) gaps group by campaign_id`,
    },
  },
];
