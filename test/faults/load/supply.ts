import { Readable } from 'node:stream';
import { Code } from '../../../src/codes/code.entity.js';
import { foreignCodes } from '../../support/code-files.js';
import { signedUsers, staffToken, type SignedUser } from '../../support/cluster.js';
import { emOf, seedCampaign, seedTenant, type SeededTenant, type World } from '../../support/world.js';

/** A code as the tests know it; `text` is what users type, and is kept only here. */
export interface SuppliedCode {
  readonly codeId: string;
  readonly digest: string;
  readonly text: string;
  /** 0 is without limit. */
  readonly useLimit: number;
  readonly campaignId: string;
}

/** A campaign, with the limits that the checks hold against what was redeemed. */
export interface SuppliedCampaign {
  readonly campaignId: string;
  readonly codes: readonly SuppliedCode[];
  /** What one redemption adds to the user's subscription. */
  readonly hours: number;
  readonly userLimitTotal: number;
  readonly budgetUses: number;
}

/** A fresh tenant, with all that a workload redeems. */
export interface Supply extends SeededTenant {
  readonly single: SuppliedCampaign;
  readonly double: SuppliedCampaign;
  readonly seven: SuppliedCampaign;
  readonly unlimited: SuppliedCampaign;
  /** Codes of one use, a limit for each user, and a budget. */
  readonly limited: SuppliedCampaign;
  readonly users: readonly SignedUser[];
  /** None of these users takes part before the codes are drained. */
  readonly fresh: readonly SignedUser[];
  readonly staffToken: string;
}

/** The product line without a limit, and the one with {@link LINE_LIMIT} attempts an hour. */
export const FREE_LINE = 'DEMO';
export const LIMITED_LINE = 'FEW';
export const LINE_LIMIT = 15;

/** Of a batch that a worker makes in five chunks; none of them is redeemed. */
const BATCH_CODES = 20_001;
/** Of a file that a worker takes in six pages. */
const IMPORT_LINES = 5500;
const USERS = 24;
const FRESH = 40;

interface Terms {
  readonly count: number;
  readonly useLimit: number;
  readonly hours: number;
  readonly limits?: { readonly userLimitTotal: number; readonly budgetUses: number };
}

export async function makeSupply(world: World): Promise<Supply> {
  const tenant = await seedTenant(world, { unitTime: 'HOUR', trafficBytes: 0 });
  const { tenantId } = tenant;
  await world.services.lines.create(tenantId, {
    code: LIMITED_LINE,
    name: 'Few attempts',
    hourLimit: LINE_LIMIT,
    dayLimit: 0,
  });
  const make = async (terms: Terms): Promise<SuppliedCampaign> => makeCampaign(world, tenant, terms);
  return {
    ...tenant,
    single: await make({ count: 5, useLimit: 1, hours: 1 }),
    double: await make({ count: 3, useLimit: 2, hours: 2 }),
    seven: await make({ count: 1, useLimit: 7, hours: 3 }),
    unlimited: await make({ count: 1, useLimit: 0, hours: 5 }),
    limited: await make({ count: 16, useLimit: 1, hours: 7, limits: { userLimitTotal: 2, budgetUses: 7 } }),
    users: await signedUsers(world, tenantId, USERS),
    fresh: await signedUsers(world, tenantId, FRESH),
    staffToken: staffToken(world, tenantId),
  };
}

/** A worker makes it while the workload runs. */
export async function orderBatch({ services }: World, { tenantId, single }: Supply): Promise<void> {
  await services.generation.generate(tenantId, { campaignId: single.campaignId, count: BATCH_CODES });
}

/** A worker reads it while the workload runs. */
export async function orderImport({ services }: World, { tenantId, single }: Supply): Promise<void> {
  const { codeImports, codeUploads, codeImportJobs } = services;
  const input = { campaignId: single.campaignId, idempotencyKey: 'file' };
  const { id } = await codeImports.begin(tenantId, input);
  const file = Readable.from([Buffer.from(foreignCodes(IMPORT_LINES).join('\n'))]);
  await codeImportJobs.enqueue(await codeUploads.store(tenantId, id, file));
}

async function makeCampaign(world: World, tenant: SeededTenant, terms: Terms): Promise<SuppliedCampaign> {
  const { count, useLimit, hours, limits = { userLimitTotal: 0, budgetUses: 0 } } = terms;
  const reward = { type: 'SUBSCRIPTION', id: tenant.planId, unit: 'HOUR', quantity: hours };
  const seeded = await seedCampaign(world, tenant, count, {
    rule: { useLimit, rewardRules: [reward] },
    campaign: limits,
  });
  const rows = await emOf(world, tenant.tenantId).find(Code, { campaignId: seeded.campaignId });
  const codes = rows.map(({ id, codeDigest, codeText }) => ({
    codeId: id,
    digest: codeDigest,
    text: codeText ?? '',
    useLimit,
    campaignId: seeded.campaignId,
  }));
  if (codes.length !== count) throw new Error(`${count} codes were asked for, ${codes.length} made.`);
  return { campaignId: seeded.campaignId, codes, hours, ...limits };
}

function campaignsOf(supply: Supply): readonly SuppliedCampaign[] {
  return [supply.single, supply.double, supply.seven, supply.unlimited, supply.limited];
}

export function codesOf(supply: Supply): readonly SuppliedCode[] {
  return campaignsOf(supply).flatMap(({ codes }) => codes);
}
