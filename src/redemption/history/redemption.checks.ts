import type { RowCheck } from '../../platform/database/row-check.js';

/** Since its oldest event the outbox has all; of older redemptions, events may have been too old. */
const TOLD = `r.settled_at > (select case when oldest.seq = 1 then '2000-01-01' else oldest.created_at + interval 1 hour end
  from outbox_event oldest where oldest.tenant_id = r.tenant_id order by oldest.seq limit 1)`;
const EVENTS = `left join outbox_event e on e.tenant_id = r.tenant_id and e.subject_id = r.id
    and e.type = 'redemption_settled' and json_value(e.payload, '$.status') = 'COMMITTED'`;
const REDEMPTIONS = { table: 'redemption', condition: `t.status <> 'ABORTED'` };

export const REDEMPTION_CHECKS = [
  {
    kind: 'EVENT_MISSING',
    invariant: 'I5',
    means: 'A redemption was committed, and the outbox does not tell of it or of one of its rewards.',
    remedy: 'Both are written by one transaction: subscribers were not told, so tell them by hand.',
    name: 'redemptions told',
    rows: REDEMPTIONS,
    sql: `select cast(r.id as char) as id, count(e.seq) as events from redemption r force index (primary) ${EVENTS}
      left join reward_grant g on g.tenant_id = r.tenant_id and g.redemption_id = r.id
        and json_contains(e.payload, json_object('rewardNo', g.reward_no), '$.rewards') = 0
     where r.tenant_id = ? and r.id in (?) and r.status <> 'ABORTED' and ${TOLD}
     group by r.id having count(e.seq) = 0 or count(g.reward_no) > 0`,
  },
  {
    kind: 'EVENT_TWICE',
    invariant: 'I5',
    means: 'The outbox tells twice of one redemption or reward, under different numbers.',
    remedy: 'Consumers drop repeated events, not repeated redemptions: look at what they did twice.',
    name: 'redemptions told',
    rows: REDEMPTIONS,
    sql: `select cast(r.id as char) as id, count(e.seq) as events from redemption r force index (primary) ${EVENTS}
     where r.tenant_id = ? and r.id in (?) and r.status <> 'ABORTED'
     group by r.tenant_id, r.id having count(e.seq) > 1 or max(json_length(e.payload, '$.rewards')) > greatest(1,
       (select count(*) from reward_grant g where g.tenant_id = r.tenant_id and g.redemption_id = r.id))`,
  },
  {
    kind: 'ORDER_WITHOUT_REDEMPTION',
    invariant: 'I2',
    means: 'An order of type REDEMPTION stands although there is no redemption with its number.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
    name: 'orders',
    rows: { table: 'order', condition: `t.type = 'REDEMPTION'` },
    // A FAILED order may outlive the tombstone of its redemption, which is not kept for ever.
    sql: `select cast(o.id as char) as id, o.status from \`order\` o force index (primary)
      left join redemption r on r.tenant_id = o.tenant_id and r.id = o.id
     where o.tenant_id = ? and o.id in (?) and o.type = 'REDEMPTION' and o.status <> 'FAILED' and r.id is null`,
  },
] as const satisfies readonly RowCheck[];
