import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { App, Services } from '../../src/app/modules.js';
import { openApp } from '../../src/app/open.js';
import type { CreateCampaign } from '../../src/campaigns/campaign-input.js';
import { loadConfig } from '../../src/config.js';
import { User } from '../../src/identity/users/user.entity.js';
import { systemClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/observability/log.js';
import { tenantEm, type Em } from '../../src/platform/database/orm.js';
import { OutboxCounter } from '../../src/platform/outbox/outbox.entity.js';
import { connectionsOf } from '../../src/redemption/commit/group-commit.js';
import type { RedeemAnswer } from '../../src/redemption/redeem/redeem-request.js';
import type { Stores, StoreSettings } from '../../src/app/stores.js';

export const TEST_SECRETS = { jwtSecret: 'j'.repeat(40), codePepper: 'p'.repeat(40) };
const quietLog = createLog({ level: 'silent' });

/** On a busy machine a query may take seconds, and a commit many; tests that are about waiting set their own limits. */
export const PATIENT = { STORE_TIMEOUT_MS: '10000', REPLY_WITHIN_MS: '14000' };

/** One process' services on the real stores of the test run; several of them play several processes. */
export interface World {
  readonly app: App;
  readonly services: Services;
  readonly stores: Stores;
  close(): Promise<void>;
}

export async function openWorld(
  environment: Record<string, string> = {},
  urls: { databaseUrl?: string; redisUrl?: string } = {},
  /** Lists read over separate connections, as in a server. */
  reads: Pick<StoreSettings, 'reads'> = {},
): Promise<World> {
  const config = loadConfig({ NODE_ENV: 'test', ...PATIENT, ...environment });
  const { stores, app, services } = await openApp(
    {
      config,
      ...TEST_SECRETS,
      codePepper: config.CODE_PEPPER ?? TEST_SECRETS.codePepper,
      databaseUrl: urls.databaseUrl ?? inject('databaseUrl'),
      redisUrl: urls.redisUrl ?? inject('redisUrl'),
      databasePoolSize: 12,
      commitPoolSize: connectionsOf(config.COMMIT_LANES) + 2,
      storeTimeoutMs: 5000,
      ...reads,
    },
    quietLog,
  );
  const close = async (): Promise<void> => {
    await services.groupCommit.drained();
    await services.attemptLog.flush();
    await services.refusalCounter.flush();
    await stores.close();
  };
  return { app, services, stores, close };
}

export interface SeededTenant {
  readonly tenantId: string;
  readonly planId: string;
}

/** A fresh tenant with the product lines APP_A and DEMO (no limit) and one plan of a month. */
export async function seedTenant(
  { services }: World,
  plan: Record<string, unknown> = {},
): Promise<SeededTenant> {
  const tenantId = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
  await services.tenants.create({ id: tenantId, name: 'Test tenant', type: 'CHANNEL', codeQuota: 0 });
  await services.lines.create(tenantId, { code: 'APP_A', name: 'App A', hourLimit: 100, dayLimit: 1000 });
  await services.lines.create(tenantId, { code: 'DEMO', name: 'Demo', hourLimit: 0, dayLimit: 0 });
  const made = await services.plans.create(tenantId, {
    name: 'Monthly',
    unitPrice: '9.90',
    unitTime: 'MONTH',
    trafficBytes: 1_000_000,
    ...plan,
  });
  return { tenantId, planId: made.id };
}

export interface SeededCampaign {
  readonly campaignId: string;
  readonly codes: readonly string[];
}

/** An active campaign that gives the tenant's plan, with some codes. */
export async function seedCampaign(
  { services }: World,
  { tenantId, planId }: SeededTenant,
  count: number,
  options: { rule?: Record<string, unknown>; campaign?: Partial<CreateCampaign>; isActive?: boolean } = {},
): Promise<SeededCampaign> {
  const { campaign } = await services.campaigns.create(tenantId, {
    name: 'Test campaign',
    rule: {
      ruleId: 'test',
      codeType: 'ALPHANUM',
      length: 16,
      rewardRules: [{ type: 'SUBSCRIPTION', id: planId }],
      ...options.rule,
    },
    ...options.campaign,
  });
  if (options.isActive !== false) await services.campaignChanges.step(tenantId, campaign.id, 'activate');
  const generated = await services.generation.generate(tenantId, { campaignId: campaign.id, count });
  return { campaignId: campaign.id, codes: generated.codes ?? [] };
}

export async function seedUser({ services }: World, tenantId: string, tags: string[] = []): Promise<string> {
  const external = randomBytes(8).toString('hex');
  const { userId } = await services.users.createUserToken(tenantId, { externalUserId: external, tags });
  return userId;
}

/** Many users in one statement. */
export async function seedUsers(world: World, tenantId: string, count: number): Promise<string[]> {
  const createdAt = new Date(systemClock.nowMs());
  const ids = Array.from({ length: count }, () => world.services.ids.next());
  await emOf(world, tenantId).insertMany(
    User,
    ids.map((id) => ({ tenantId, id, externalId: `u${id}`, status: 'ACTIVE' as const, tags: [], createdAt })),
  );
  return ids;
}

export interface RedeemOptions {
  /** The key of the header, where the input bears one as well. */
  readonly headerKey?: string;
  readonly productCode?: string | null;
  readonly idempotencyKey?: string;
  readonly deviceId?: string;
  /** Of the client; without it the call comes from no network. */
  readonly ip?: string;
}

export async function redeem(
  { services }: World,
  tenantId: string,
  userId: string,
  code: string,
  options: RedeemOptions = {},
): Promise<RedeemAnswer> {
  return services.redemptions.redeem(
    {
      tenantId,
      userId,
      code,
      productCode: options.productCode === undefined ? 'DEMO' : options.productCode,
      deviceId: options.deviceId ?? null,
      ip: options.ip ?? null,
      idempotencyKey: options.idempotencyKey ?? null,
      headerKey: options.headerKey ?? null,
    },
    { log: quietLog },
  );
}

/** How a redemption ended, in one word: COMMITTED or the code of the refusal. */
export function outcomeOf(answer: RedeemAnswer): string {
  return answer.refusal?.code ?? answer.status;
}

/** How many answers there are of each kind. */
export function tally(answers: readonly RedeemAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[outcomeOf(answer)] = (counts[outcomeOf(answer)] ?? 0) + 1;
  return counts;
}

export function emOf({ stores }: World, tenantId: string): Em {
  return tenantEm(stores.orm, tenantId);
}

/**
 * The tenant's last cursor; "0" before its first event. A subscription is not acknowledged, so only a client that names
 * a cursor knows which events will come.
 */
export async function cursorNow(world: World, tenantId: string): Promise<string> {
  const counter = await emOf(world, tenantId).findOne(OutboxCounter, {});
  return String(counter?.lastSeq ?? 0);
}
