import type { CampaignRule } from '../campaigns/campaign-rule.js';
import { Money } from '../platform/decimal.js';
import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'GRANT_MISSING',
    invariant: 'I5',
    holder: 'DATABASE',
    means: 'A reward that the campaign promises to everybody was not granted with the redemption.',
    remedy: 'Both are written by one transaction: bring the grant, and what it gave, back from a backup.',
  },
  {
    kind: 'GRANT_DIFFERS',
    invariant: 'I5',
    holder: 'DATABASE',
    means: 'A grant names another reward than the rule of its campaign has at its place.',
    remedy: 'Rules never change: find out who wrote the grant or the rule by hand.',
  },
] as const satisfies readonly Check[];

interface RedemptionRow {
  readonly id: string;
  readonly campaignId: string;
}

interface GrantRow {
  readonly redemptionId: string;
  readonly rewardNo: number;
  readonly type: string;
  readonly sourceId: string;
  readonly value: string;
}

const SELECT_REDEMPTIONS = `
  select cast(id as char) as id, cast(campaign_id as char) as campaignId from redemption force index (primary)
   where tenant_id = ? and id in (?) and status <> 'ABORTED'`;
const SELECT_GRANTS = `
  select cast(redemption_id as char) as redemptionId, reward_no as rewardNo, type, source_id as sourceId, value
    from reward_grant force index (primary) where tenant_id = ? and redemption_id in (?)`;
const SELECT_RULES = `select cast(id as char) as id, cast(rule as char) as rule from campaign
   where tenant_id = ? and id in (?)`;

/** What redemptions gave, against the rules of their campaigns. Rules do not change. */
export class RewardChecks implements DatabaseChecks {
  readonly name = 'rewards';
  readonly checks = CHECKS;

  constructor(private readonly rows: Rows) {}

  pages(tenantId: string): AsyncIterable<readonly string[]> {
    return this.rows.idPages(tenantId, 'redemption', `t.status <> 'ABORTED'`);
  }

  /** Redemptions are read first: whatever was committed with them is there when it is looked for. */
  async judge(tenantId: string, ids: readonly string[]): Promise<Finding[]> {
    const redemptions = await this.rows.read<RedemptionRow>(tenantId, SELECT_REDEMPTIONS, [ids]);
    if (redemptions.length === 0) return [];
    const campaignIds = [...new Set(redemptions.map((row) => row.campaignId))];
    const stored = await this.rows.read<{ id: string; rule: string }>(tenantId, SELECT_RULES, [campaignIds]);
    const rules = new Map(stored.map(({ id, rule }) => [id, JSON.parse(rule) as CampaignRule]));
    const given = await this.rows.read<GrantRow>(tenantId, SELECT_GRANTS, [ids]);
    const grants = Map.groupBy(given, (grant) => grant.redemptionId);
    return redemptions.flatMap(({ id, campaignId }) =>
      findingsOf(id, rules.get(campaignId)?.rewardRules ?? [], grants.get(id) ?? []),
    );
  }
}

function findingsOf(id: string, rules: CampaignRule['rewardRules'], grants: readonly GrantRow[]): Finding[] {
  const missing = rules.flatMap((rule, rewardNo) => {
    const isDeferred = rule.condition === null;
    return isDeferred && !grants.some((grant) => grant.rewardNo === rewardNo) ? [rewardNo] : [];
  });
  // Whoever fits no condition of a rule is refused, so there is never a redemption without any reward of a rule.
  if (missing.length === 0 && rules.length > 0 && grants.length === 0) missing.push(0);
  const astray = grants.filter((grant) => {
    const rule = rules[grant.rewardNo];
    if (rule === undefined) return true;
    return rule.type !== grant.type || rule.id !== grant.sourceId || !new Money(rule.value).eq(grant.value);
  });
  return [
    ...missing.map((rewardNo) => finding('GRANT_MISSING', id, { rewardNo }, `${id}/${rewardNo}`)),
    ...astray.map(({ rewardNo }) => finding('GRANT_DIFFERS', id, { rewardNo }, `${id}/${rewardNo}`)),
  ];
}
