import { present } from '../platform/assert.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { RewardHandler } from '../rewards/reward-handler.js';
import type { RewardType } from '../rewards/reward-rule.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { TenantCopies } from '../tenancy/tenant-change.service.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { CampaignChangeService, type CampaignCodes, type CampaignCopies } from './campaign-change.service.js';
import { CampaignReader } from './campaign-reader.service.js';
import { CampaignRuleChecks } from './campaign-rule-checks.js';
import type { CampaignRule } from './campaign-rule.js';
import { CampaignUsage } from './campaign-usage.entity.js';
import { CAMPAIGN_CHECKS } from './campaign.checks.js';
import { Campaign } from './campaign.entity.js';
import { CampaignResolver, type CampaignLauncher } from './campaign.resolver.js';
import { CampaignService } from './campaign.service.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'clock' | 'ids' | 'transactions' | 'outbox'
> {
  readonly tenants: TenantService;
  readonly tenantCopies: Partial<TenantCopies>[];
  readonly lines: ProductLineService;
  readonly handlers: ReadonlyMap<RewardType, RewardHandler>;
}

/** What campaigns ask of the feature that makes codes, which comes after them and fills it in. */
export interface CampaignPorts {
  launcher: CampaignLauncher;
  codes: CampaignCodes;
  copies: CampaignCopies;
  checkCodes: (rule: CampaignRule, count: number) => void;
}

/** Campaigns: rules, windows, limits and budgets. */
export const campaigns = {
  name: 'campaigns',
  entities: [Campaign, CampaignUsage],
  resolvers: [CampaignResolver],
  checks: CAMPAIGN_CHECKS,
  compose: (its: Needs) => {
    const { orm, readOrm, clock, ids, transactions, outbox, tenants } = its;
    const campaignPorts: Partial<CampaignPorts> = {};
    const port = <K extends keyof CampaignPorts>(name: K): CampaignPorts[K] =>
      present(campaignPorts[name], `The port ${name} of campaigns`) as CampaignPorts[K];
    const campaignReader = new CampaignReader(orm, readOrm);
    const ruleChecks = new CampaignRuleChecks(
      { find: async (tenantId, type, id) => (await its.handlers.get(type)?.target(tenantId, id)) ?? null },
      its.lines,
      (rule, count) => port('checkCodes')(rule, count),
    );
    const campaignChanges = new CampaignChangeService({
      transactions,
      clock,
      outbox,
      ruleChecks,
      codes: { voidAll: async (em, tenantId, id) => port('codes').voidAll(em, tenantId, id) },
      copies: { changed: async (tenantId) => port('copies').changed(tenantId) },
    });
    const service = new CampaignService({ orm, transactions, ids, clock, outbox, tenants, ruleChecks });
    its.tenantCopies.push({
      renamed: async (em, tenantId, tenantName) => {
        await em.nativeUpdate(Campaign, { tenantId }, { tenantName });
      },
    });
    const launcher: CampaignLauncher = {
      create: async (tenantId, input) => port('launcher').create(tenantId, input),
    };
    return {
      services: { campaigns: service, campaignChanges, campaignReader, campaignPorts },
      resolvers: [new CampaignResolver(launcher, campaignChanges, campaignReader)],
    };
  },
};
