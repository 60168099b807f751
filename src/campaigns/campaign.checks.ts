import type { RowCheck, RowFacts } from '../platform/database/row-check.js';

/**
 * When the campaign was last changed; a change that the outbox has forgotten is older than its oldest event. A limit
 * may be set below what was redeemed before, and then holds for what comes. So only a campaign that went on past its
 * limit has broken it. Clocks of processes differ a little.
 */
const LAST_CHANGE = `(select coalesce(
    (select max(e.created_at) from outbox_event e force index (ix_outbox_event__tenant_subject)
      where e.tenant_id = c.tenant_id and e.subject_id = c.id and e.type = 'campaign_changed'),
    case when c.version = 1 then c.created_at end,
    (select oldest.created_at from outbox_event oldest where oldest.tenant_id = c.tenant_id
      order by oldest.seq limit 1)) + interval 10 second)`;

/** Days since 1970 by the tenant's clock. Grouped by as a whole, because MySQL does not see that a part of it would do. */
const DAY = ':day(r.claimed_at)';
const overUserLimit = (limit: string, day: string): string => `
  select r.user_id, c.id as campaign_id, ${day} as day, count(*) as redemptions, ${limit} as most, max(r.settled_at) as last_at
    from redemption r force index (uq_redemption__user_key)
    join campaign c on c.tenant_id = r.tenant_id and c.id = r.campaign_id
   where r.tenant_id = :tenant and r.user_id in (:items) and r.user_use_no is not null and ${limit} > 0
   group by r.user_id, c.id, ${limit}, ${day} having count(*) > ${limit}`;

/** Users against the limits of campaigns, by the redemptions that hold a use: a reversal may have given its use back. */
const USERS: RowFacts = {
  name: 'users',
  rows: {
    table: 'redemption',
    key: ['user_id'],
    index: 'uq_redemption__user_key',
    repeats: true,
    condition: `exists (select 1 from campaign where tenant_id = :tenant
      and (user_limit_total > 0 or user_limit_day > 0))`,
  },
  sql: `
    select cast(o.user_id as char) as id, concat_ws('/', c.id, o.user_id, o.day) as subject, o.redemptions, o.most
      from (${overUserLimit('c.user_limit_total', 'null')} union all ${overUserLimit('c.user_limit_day', DAY)}) o
      join campaign c on c.tenant_id = :tenant and c.id = o.campaign_id
     where o.last_at > ${LAST_CHANGE}`,
};

/** The counters behind user limits. One that is missing is no drift: it is made when it is needed. */
const USER_COUNTERS: RowFacts = {
  name: 'usageCounters',
  rows: { table: 'campaign_usage', key: ['campaign_id', 'user_id', 'day'], condition: 't.user_id > 0' },
  // Counters whose limit was taken away stand still; they are made again before they count again.
  sql: `
    select concat_ws('|', u.campaign_id, u.user_id, u.day) as id,
        concat_ws('/', u.campaign_id, u.user_id, u.day) as subject, u.uses, count(r.id) as redemptions
      from campaign_usage u force index (primary)
      join campaign c on c.tenant_id = u.tenant_id and c.id = u.campaign_id
      left join redemption r force index (uq_redemption__user_key)
        on r.tenant_id = u.tenant_id and r.user_id = u.user_id and r.campaign_id = u.campaign_id
        and r.user_use_no is not null and (u.day = 0 or ${DAY} = u.day)
     where u.tenant_id = :tenant and (u.campaign_id, u.user_id, u.day) in (:items)
       and ((u.day = 0 and c.user_limit_total > 0) or (u.day > 0 and c.user_limit_day > 0))
     group by u.tenant_id, u.campaign_id, u.user_id, u.day, u.uses`,
};

/** Budgets of campaigns and their counters, by the redemptions and grants themselves. One by one: each may have millions. */
const BUDGETS: RowFacts = {
  name: 'budgets',
  rows: { table: 'campaign', condition: '(t.budget_uses > 0 or t.budget_value > 0)', atOnce: 1 },
  sql: `
    select cast(c.id as char) as id, c.budget_uses as usesMost, c.budget_value as valueMost, u.uses, u.value,
        given.redemptions, given.value as given, given.lastAt > ${LAST_CHANGE} as isSinceChange
      from campaign c
      left join campaign_usage u on u.tenant_id = c.tenant_id and u.campaign_id = c.id and u.user_id = 0 and u.day = 0
      join (select count(*) as redemptions, max(r.settled_at) as lastAt, coalesce(sum((select sum(g.value)
              from reward_grant g where g.tenant_id = r.tenant_id and g.redemption_id = r.id)), 0) as value
         from redemption r
        where r.tenant_id = :tenant and r.campaign_id in (:items) and r.user_use_no is not null) given
     where c.tenant_id = :tenant and c.id in (:items)`,
};

const USAGE_DIFFERS = {
  kind: 'CAMPAIGN_USAGE_DIFFERS',
  invariant: 'I1',
  means: "A counter of a campaign's limits differs from its redemptions, in number or in value.",
  remedy: 'Pause the campaign and delete the row of campaign_usage: it is rebuilt from the redemptions.',
} as const;

export const CAMPAIGN_CHECKS: readonly RowCheck[] = [
  { ...USAGE_DIFFERS, facts: USER_COUNTERS, wrong: 'uses <> redemptions' },
  {
    ...USAGE_DIFFERS,
    facts: BUDGETS,
    wrong: 'uses <> redemptions or (valueMost > 0 and value <> given)',
  },
  {
    kind: 'USER_LIMIT_EXCEEDED',
    invariant: 'I1',
    means:
      'A user redeemed more in a campaign than its limit, in total or of a day, since it was last changed.',
    remedy: 'Reverse the redemptions above the limit.',
    facts: USERS,
  },
  {
    kind: 'BUDGET_EXCEEDED',
    invariant: 'I1',
    means: 'A campaign gave more than its budget, in redemptions or in value, since it was last changed.',
    remedy: 'Reverse the redemptions above the budget, or raise it.',
    facts: BUDGETS,
    wrong:
      'isSinceChange and ((usesMost > 0 and redemptions > usesMost) or (valueMost > 0 and given > valueMost))',
  },
];
