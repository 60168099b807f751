import { nextVersion } from '../platform/database/change-row.js';
import type { Em } from '../platform/database/orm.js';
import type { UserService } from '../identity/users/user.service.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { RewardHandler } from '../rewards/reward-handler.js';
import { readRewardRule, type RewardType } from '../rewards/reward-rule.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { TenantCopies } from '../tenancy/tenant-change.service.js';
import type { DirectoryService } from '../tenancy/directory/directory.service.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { CampaignBudgets } from './campaign-budgets.service.js';
import { CampaignConditions } from './campaign-conditions.service.js';
import { CampaignChangeService } from './campaign-change.service.js';
import type { CampaignPorts } from './campaign-ports.js';
import { CampaignNames } from './campaign-names.service.js';
import { CampaignPreviewResolver } from './campaign-preview.resolver.js';
import { CampaignPreviewService } from './campaign-preview.service.js';
import { CampaignReader } from './campaign-reader.service.js';
import { CampaignRewards } from './campaign-rewards.service.js';
import { CampaignRuleChecks, type RewardTargets } from './campaign-rule-checks.js';
import { CampaignUsage } from './campaign-usage.entity.js';
import { CAMPAIGN_CHECKS } from './campaign.checks.js';
import { Campaign } from './campaign.entity.js';
import { CampaignResolver } from './campaign.resolver.js';
import { CampaignTenantResolver } from './campaign-tenant.resolver.js';
import { CampaignService } from './campaign.service.js';

export type { CampaignPorts, CodesPreview } from './campaign-ports.js';
export { campaignNameOf } from './campaign-name.resolver.js';
import { CAMPAIGN_PERMISSIONS } from './campaigns.permissions.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'clock' | 'ids' | 'transactions' | 'outbox'
> {
  readonly tenants: TenantService;
  readonly directory: DirectoryService;
  readonly tenantCopies: Partial<TenantCopies>[];
  readonly lines: ProductLineService;
  readonly users: UserService;
  readonly handlers: ReadonlyMap<RewardType, RewardHandler>;
}

/**
 * Waits for commits that hold a campaign, and those that come later read the new zone with it. Counters of days are made
 * again from the redemptions: a new version of the campaigns has Redis forget which limits it knew to be reached.
 */
async function followZone(em: Em, tenantId: string, timeZone: string): Promise<void> {
  const others = { tenantId, timeZone: { $ne: timeZone } };
  const moved = await em.nativeUpdate(Campaign, others, { timeZone, version: nextVersion() });
  if (moved > 0) await em.nativeDelete(CampaignUsage, { tenantId, day: { $gt: 0 } });
}

/** Campaigns: rules, windows, limits and budgets. */
export const campaigns = {
  name: 'campaigns',
  entities: [Campaign, CampaignUsage],
  resolvers: [CampaignResolver, CampaignPreviewResolver, CampaignTenantResolver],
  permissions: CAMPAIGN_PERMISSIONS,
  checks: CAMPAIGN_CHECKS,
  compose: (its: Needs) => {
    const { orm, readOrm } = its;
    const campaignPorts = {} as CampaignPorts;
    const campaignReader = new CampaignReader(orm, readOrm);
    const targets: RewardTargets = {
      find: async (tenantId, stored) => {
        const rule = readRewardRule(stored);
        return (await its.handlers.get(rule.type)?.target(tenantId, rule)) ?? null;
      },
    };
    const ruleChecks = new CampaignRuleChecks(targets, its.lines, campaignPorts);
    const campaignRewards = new CampaignRewards(readOrm, targets);
    const campaignChanges = new CampaignChangeService({ ...its, ruleChecks, ports: campaignPorts });
    const service = new CampaignService({ ...its, ruleChecks });
    its.tenantCopies.push({
      described: async (em, tenantId, { name: tenantName, type: tenantType, timeZone }) => {
        const isOld = { $or: [{ tenantName: { $ne: tenantName } }, { tenantType: { $ne: tenantType } }] };
        await em.nativeUpdate(Campaign, { tenantId, ...isOld }, { tenantName, tenantType });
        await followZone(em, tenantId, timeZone);
      },
      changed: async (tenantId) => campaignPorts.changed(tenantId),
    });
    return {
      services: {
        campaigns: service,
        campaignChanges,
        campaignReader,
        campaignConditions: new CampaignConditions(),
        campaignBudgets: new CampaignBudgets(readOrm),
        campaignRewards,
        campaignNames: new CampaignNames(readOrm),
        campaignPorts,
      },
      resolvers: [
        new CampaignResolver(campaignPorts, campaignChanges, campaignReader),
        new CampaignTenantResolver(its.directory),
        new CampaignPreviewResolver(new CampaignPreviewService({ ...its, ruleChecks, ports: campaignPorts })),
      ],
    };
  },
};
