import type { Services } from '../../src/app/modules.js';
import type { RunningServer } from '../../src/app/server.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { createLog } from '../../src/platform/observability/log.js';
import { valueAt } from '../../scripts/api-docs/examples.js';
import { startApi } from './api-server.js';
import { graphqlRequest } from './graphql-client.js';
import { OidcProvider } from './oidc-provider.js';
import { startOwnStores } from './own-stores.js';
import { codeOf } from './staff-world.js';
import { WebhookReceiver } from './webhook-receiver.js';

const TENANT = 'DEMO';
const PROVIDERS_ADDRESS = 'carla@example.com';
const LARGE_BATCH = 1_000_000;

/** A whole server on stores of its own, with a tenant that has nothing but what no operation can make. */
export interface ExampleWorld {
  readonly url: string;
  /** Values that examples use besides each other's answers; some of them come with {@link before}. */
  readonly seeds: Record<string, string>;
  /** What must have happened before an operation, and is no operation. */
  before(operation: string, payloads: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

interface Stage {
  readonly server: RunningServer;
  readonly services: Services;
  readonly seeds: Record<string, string>;
  readonly provider: OidcProvider;
  /** What an operation has answered before. */
  readonly payload: (path: string) => string;
  readonly asUser: (query: string) => Promise<unknown>;
}

export async function openExampleWorld(): Promise<ExampleWorld> {
  const provider = await OidcProvider.start();
  const receiver = await WebhookReceiver.start();
  const stores = await startOwnStores();
  const environment = {
    ROLE: 'all',
    OUTGOING_ALLOWED_NETWORKS: '127.0.0.0/8',
    JWKS_HOSTS: 'login.example.com',
    ...provider.environment,
  };
  const server = await startApi(environment, stores, createLog({ level: 'error' }));
  const { services } = server;
  const seeds = await seed(services, receiver.urlOf('/hooks'));
  return {
    url: server.address,
    seeds,
    before: async (operation, payloads) => {
      const payload = (path: string): string => String(valueAt(payloads, path));
      const asUser = async (query: string): Promise<unknown> => {
        const token = payload('createUserToken.token');
        return (await graphqlRequest(server.address, { query, token })).data;
      };
      await BEFORE[operation]?.({ server, services, seeds, provider, payload, asUser });
    },
    close: async () => {
      await server.stop();
      await stores.close();
      await receiver.close();
      await provider.stop();
    },
  };
}

async function seed(services: Services, webhookUrl: string): Promise<Record<string, string>> {
  const { tenants, tokens, users, staff, clock } = services;
  await tenants.create({ id: TENANT, name: 'Demo', type: 'PLATFORM', codeQuota: 0 });
  await staff.invite(TENANT, { email: PROVIDERS_ADDRESS, name: 'Carla', role: 'OPERATOR' });
  const friend = await users.createUserToken(TENANT, { externalUserId: 'friend-of-7' });
  const owner = { kind: 'STAFF', tenantId: TENANT, staffId: 'alice', role: 'OWNER' } as const;
  return {
    tenantId: TENANT,
    ownerToken: tokens.sign(owner, 3600, 'BY_OPERATOR'),
    friendId: friend.userId,
    webhookUrl,
    today: new Date(Math.floor(clock.nowMs() / 86_400_000) * 86_400_000).toISOString(),
  };
}

const BEFORE: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  completeStaffOidc: async ({ provider, seeds, payload }) => {
    const url = payload('beginStaffOidc.authorizationUrl');
    seeds['callbackUrl'] = provider.signIn(url, { email: PROVIDERS_ADDRESS });
  },
  confirmSecondFactor: async ({ seeds, payload }) => {
    seeds['totpCode'] = codeOf(payload('enrolSecondFactor.secret'));
  },
  removeSecondFactor: async ({ seeds, payload }) => {
    seeds['nextTotpCode'] = codeOf(payload('enrolSecondFactor.secret'), 1);
  },
  eraseUser: async ({ services, seeds }) => {
    const { userId } = await services.users.createUserToken(TENANT, { externalUserId: 'customer-8' });
    seeds['leavingUserId'] = userId;
  },
  deleteCampaign: async ({ services, seeds, payload }) => {
    const rewardRules = [{ type: 'SUBSCRIPTION', targetId: payload('createPlan.plan.id') }];
    const rule = { ruleId: 'draft', codeType: 'ALPHANUM', length: 16, rewardRules };
    const { campaign } = await services.campaigns.create(TENANT, { name: 'Draft', rule });
    seeds['draftCampaignId'] = campaign.id;
  },
  activateBatch: async ({ services, seeds, payload }) => {
    const campaignId = payload('createCampaign.campaign.id');
    const { batch } = await services.generation.generate(TENANT, {
      campaignId,
      count: 5,
      activateAtSale: true,
    });
    seeds['saleBatchId'] = batch.id;
  },
  cancelBatch: async ({ services, seeds, payload }) => {
    const campaignId = payload('createCampaign.campaign.id');
    const { batch } = await services.generation.generate(TENANT, { campaignId, count: LARGE_BATCH });
    seeds['largeBatchId'] = batch.id;
  },
  cancelOrder: async ({ seeds, payload, asUser }) => {
    const [planId, facilityId] = [payload('createPlan.plan.id'), payload('createFacility.facility.id')];
    const data = await asUser(
      `mutation { placeOrder(input: {type: PURCHASE, planId: "${planId}", facilityId: "${facilityId}"}) { order { orderNo } } }`,
    );
    seeds['pendingOrderNo'] = String(valueAt(data, 'placeOrder.order.orderNo'));
  },
  setDeviceEnabled: async ({ services, seeds, payload }) => {
    const linkCode = payload('createDeviceLinkCode.linkCode');
    const origin = { tenantId: TENANT, ip: '127.0.0.1' };
    const tablet = await services.deviceLogins.login(origin, { identifier: 'tablet', linkCode });
    seeds['tabletId'] = tablet.deviceId;
  },
  codeImport: async ({ server, seeds, payload }) => {
    const reply = await fetch(`${server.address}/api/imports/${payload('importCodes.codeImport.id')}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${seeds['ownerToken']}`, 'content-type': 'text/csv' },
      body: 'code,use_limit\nOLD-7F3K-22QX,1\nOLD-7F3K-22QY,3\nOLD,1\n',
    });
    if (reply.status !== 202) throw new Error(await reply.text());
  },
  attempts: async ({ asUser }) => {
    await asUser('mutation { redeemCode(input: {code: "NOT-A-CODE-2027"}) { status } }');
  },
  releaseAccount: async ({ server, payload }) => {
    await tenantEm(server.stores.orm, TENANT).execute(
      'update money_account set halted_at = now(3) where tenant_id = ? and id = ?',
      [TENANT, payload('accounts.items.0.id')],
    );
  },
};
