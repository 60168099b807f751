import type { RowCheck, RowFacts } from '../../platform/database/row-check.js';

const ruled = (field: string): string =>
  `json_unquote(json_extract(c.rule, concat('$.rewardRules[', g.reward_no, '].${field}')))`;

/** Grants, by the redemption that they belong to: what the rule of its campaign says, and what each has brought. */
const GRANTS: RowFacts = {
  name: 'grants',
  rows: { table: 'reward_grant', key: ['redemption_id'], repeats: true },
  sql: `
    select cast(g.redemption_id as char) as id, concat(g.redemption_id, '/', g.reward_no) as subject,
        r.id is not null as isRedeemed, g.status, (g.status = 'REVERSED') <> (r.status = 'REVERSED') as isOfOtherStatus,
        coalesce(${ruled('type')} = g.type and ${ruled('id')} = g.source_id
          and cast(${ruled('value')} as decimal(30, 10)) = g.value, 0) as isRuled,
        g.type = 'SUBSCRIPTION' and g.status = 'GRANTED' and s.id is null as isWithoutSubscription
      from reward_grant g force index (primary)
      left join redemption r on r.tenant_id = g.tenant_id and r.id = g.redemption_id and r.status <> 'ABORTED'
      left join campaign c on c.tenant_id = r.tenant_id and c.id = r.campaign_id
      left join subscription s on s.tenant_id = g.tenant_id and s.id = g.target_id
        and s.user_id = coalesce(r.user_id, s.user_id) and s.plan_id = cast(g.source_id as unsigned)
     where g.tenant_id = :tenant and g.redemption_id in (:items)`,
};

const isNull = (field: string): string =>
  `coalesce(json_type(json_extract(c.rule, concat('$.rewardRules[', rule.place - 1, '].${field}'))), 'NULL') = 'NULL'`;

/** Rules of rewards without a grant. Rules do not change. */
const RULES: RowFacts = {
  name: 'rewards',
  rows: { table: 'redemption', condition: `t.status <> 'ABORTED'` },
  sql: `
    select cast(r.id as char) as id, concat(r.id, '/', rule.place - 1) as subject, rule.place = 1 as isFirst,
        ${isNull('condition')} and ${isNull('when')} as isForAll,
        exists (select 1 from reward_grant a where a.tenant_id = r.tenant_id and a.redemption_id = r.id) as hasGrants
      from redemption r force index (primary)
      join campaign c on c.tenant_id = r.tenant_id and c.id = r.campaign_id
      join json_table(c.rule, '$.rewardRules[*]' columns (place for ordinality)) rule
      left join reward_grant g on g.tenant_id = r.tenant_id and g.redemption_id = r.id
        and g.reward_no = rule.place - 1
     where r.tenant_id = :tenant and r.id in (:items) and r.status <> 'ABORTED' and g.redemption_id is null`,
};

export const GRANT_CHECKS: readonly RowCheck[] = [
  {
    kind: 'GRANT_MISSING',
    invariant: 'I5',
    means: 'A reward of the campaign without a condition was not granted with the redemption.',
    remedy: 'Both are written by one transaction: restore the grant and its subscription from a backup.',
    facts: RULES,
    // A user who fits no condition of a rule is refused, so no redemption is without any reward.
    wrong: 'isForAll or (isFirst and not hasGrants)',
  },
  {
    kind: 'GRANT_DIFFERS',
    invariant: 'I5',
    means: 'A grant names another reward than the rule of its campaign.',
    remedy: 'Rules never change: find out what changed the grant or the rule by hand.',
    facts: GRANTS,
    wrong: 'isRedeemed and not isRuled',
  },
  {
    kind: 'GRANT_STATUS_DIFFERS',
    invariant: 'I5',
    means: 'A redemption was reversed and a reward of it was not, or the other way round.',
    remedy: 'Both are written by one transaction: restore the rows from a backup.',
    facts: GRANTS,
    wrong: 'isRedeemed and isOfOtherStatus',
  },
  {
    kind: 'GRANT_WITHOUT_REDEMPTION',
    invariant: 'I5',
    means: 'A reward was granted for a redemption that is missing or was aborted.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
    facts: GRANTS,
    wrong: 'not isRedeemed',
  },
  {
    kind: 'SUBSCRIPTION_MISSING',
    invariant: 'I5',
    means: 'A granted subscription is missing, or is of another user or plan.',
    remedy: 'Restore the subscription from a backup, or grant the plan again by hand.',
    facts: GRANTS,
    wrong: 'isWithoutSubscription',
  },
];
