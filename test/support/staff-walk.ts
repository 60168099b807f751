import { WebhookDelivery } from '../../src/webhooks/webhook.entity.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { manifestOf } from './partners.js';
import { codeOf } from './staff-world.js';
import { emOf, redeem, type World } from './world.js';

/** Ids and secrets by name, as earlier steps have left them. */
export type Kept = Record<string, string>;

/** One mutation by a caller who may run it, with arguments that it takes. */
export interface WalkStep {
  readonly mutation: string;
  /** Whose token is sent; without it the owner of the tenant. */
  readonly by?: 'platform' | 'member' | 'nobody';
  readonly input: (kept: Kept, world: World) => Promise<object> | object;
  /** What is read of the answer: names to keep by paths, such as `partner.id`. Secrets are all that is called so. */
  readonly keeps?: Readonly<Record<string, string>>;
}

/** Stands in every secret that a caller makes up. */
export const CANARY = 'CANARY';
/** A time-based code is good once in its step. */
let steps = -1;
const totp = ({ totpSecret = '' }: Kept): string => codeOf(totpSecret, (steps += 1) - 1);
const password = (no: number): string => `${CANARY} password ${no}`;
const soon = (): string => new Date(Date.now() + 86_400_000).toISOString();
const later = (): string => new Date(Date.now() + 172_800_000).toISOString();

const REWARD = { type: 'SUBSCRIPTION', targetId: '', unit: 'MONTH', quantity: 1 };
const campaign = ({ planId = '' }: Kept) => ({
  name: 'Walk',
  rule: { ruleId: 'walk', codeType: 'ALPHANUM', length: 16, rewardRules: [{ ...REWARD, targetId: planId }] },
});
const byId = (name: string) => (kept: Kept) => ({ [name]: kept[name] });

const TENANCY: readonly WalkStep[] = [
  { mutation: 'createProductLine', input: () => ({ code: 'WALK', name: 'Walk' }) },
  { mutation: 'updateProductLine', input: () => ({ code: 'WALK', name: 'Walks', hourLimit: 5 }) },
  {
    mutation: 'updateGlobalConfig',
    input: () => ({
      site: { name: 'Shop' },
      auth: { captchaSecret: `${CANARY} captcha`, deviceSignInEnabled: true },
      device: { encryptionKeys: [{ id: 'k1', secret: `${CANARY} key 1` }], devicesPerUser: 5 },
      customData: { color: 'red' },
    }),
  },
  {
    mutation: 'createAnnouncement',
    input: () => ({ title: 'News' }),
    keeps: { announcementId: 'announcement.id' },
  },
  { mutation: 'updateAnnouncement', input: ({ announcementId }) => ({ announcementId, title: 'Late news' }) },
  { mutation: 'deleteAnnouncement', input: byId('announcementId') },
  { mutation: 'setRateLimit', input: () => ({ productCode: 'WALK', scope: 'USER', hourLimit: 3 }) },
  {
    mutation: 'createTenant',
    by: 'platform',
    input: ({ newTenantId }) => ({ id: newTenantId, name: 'Made', type: 'CHANNEL' }),
  },
  {
    mutation: 'updateTenant',
    by: 'platform',
    input: ({ newTenantId }) => ({ tenantId: newTenantId, name: 'Changed' }),
  },
];

const IDENTITY: readonly WalkStep[] = [
  {
    mutation: 'createUserToken',
    input: () => ({ externalUserId: 'walker', tags: ['a'] }),
    keeps: { userId: 'userId', secretToken: 'token' },
  },
  { mutation: 'updateUser', input: ({ userId }) => ({ userId, tags: ['b'] }) },
  {
    mutation: 'inviteStaff',
    input: () => ({ email: 'walk@example.com', name: 'Walk', role: 'OWNER' }),
    keeps: { staffId: 'staff.id', invitationToken: 'invitationToken' },
  },
  {
    mutation: 'acceptStaffInvitation',
    by: 'nobody',
    input: ({ invitationToken }) => ({ invitationToken, password: password(1) }),
  },
  { mutation: 'resetStaff', input: byId('staffId'), keeps: { invitationToken2: 'invitationToken' } },
  {
    mutation: 'completeStaffOidc',
    by: 'nobody',
    input: ({ flowToken, callbackUrl }) => ({ flowToken, callbackUrl }),
    keeps: { oidcAccessToken: 'accessToken', oidcRefreshToken: 'refreshToken' },
  },
  {
    mutation: 'inviteStaff',
    input: () => ({ email: 'member@example.com', name: 'Member', role: 'OPERATOR' }),
    keeps: { memberId: 'staff.id', memberInvitationToken: 'invitationToken' },
  },
  {
    mutation: 'acceptStaffInvitation',
    by: 'nobody',
    input: ({ memberInvitationToken }) => ({
      invitationToken: memberInvitationToken,
      password: password(2),
    }),
  },
  {
    mutation: 'updateStaff',
    input: ({ memberId }) => ({ staffId: memberId, role: 'AUDITOR', name: 'Renamed' }),
  },
  {
    mutation: 'signInStaff',
    by: 'nobody',
    input: ({ tenantId }) => ({ tenantId, email: 'member@example.com', password: password(2) }),
    keeps: { memberToken: 'accessToken', memberRefreshToken: 'refreshToken' },
  },
  {
    mutation: 'changeStaffPassword',
    by: 'member',
    input: () => ({ currentPassword: password(2), newPassword: password(3) }),
  },
  {
    mutation: 'enrolSecondFactor',
    by: 'member',
    input: () => ({ password: password(3) }),
    keeps: { totpSecret: 'secret', otpauthToken: 'otpauthUrl' },
  },
  {
    mutation: 'confirmSecondFactor',
    by: 'member',
    input: (kept) => ({ totpCode: totp(kept) }),
    keeps: { recoveryToken: 'recoveryCodes.0' },
  },
  {
    mutation: 'regenerateRecoveryCodes',
    by: 'member',
    input: ({ recoveryToken }) => ({ password: password(3), totpCode: recoveryToken }),
    keeps: { recovery2Token: 'recoveryCodes.0' },
  },
  {
    mutation: 'removeSecondFactor',
    by: 'member',
    input: (kept) => ({ password: password(3), totpCode: totp(kept) }),
  },
  {
    mutation: 'endSession',
    input: async ({ tenantId = '', memberId }, world) => {
      const subject = { tenantId, kind: 'STAFF', subjectId: memberId ?? '' } as const;
      const opened = await world.services.transactions.run(tenantId, async (em) =>
        world.services.sessions.open(em, subject),
      );
      return { sessionId: opened.sessionId };
    },
  },
  { mutation: 'signOutStaff', by: 'member', input: () => ({ everywhere: true }) },
  { mutation: 'createPartner', input: () => ({ name: 'P' }), keeps: { partnerId: 'partner.id' } },
  { mutation: 'updatePartner', input: ({ partnerId }) => ({ partnerId, name: 'Q' }) },
  {
    mutation: 'createApiKey',
    input: ({ partnerId }) => ({ partnerId, name: 'server', scopes: ['redeem'] }),
    keeps: { keyId: 'apiKey.id', apiKeyToken: 'key' },
  },
  { mutation: 'revokeApiKey', input: byId('keyId') },
  {
    mutation: 'registerOperations',
    input: ({ partnerId }) => ({ partnerId, manifest: manifestOf(['query V { viewer { kind } }']) }),
  },
  {
    mutation: 'setUserTokenIssuer',
    input: ({ tenantId }) => ({
      issuer: `https://id.example/${tenantId}`,
      audience: 'shop',
      jwksUrl: 'https://id.example/jwks',
    }),
  },
  { mutation: 'createDeviceLinkCode', input: byId('userId'), keeps: { linkCodeToken: 'linkCode' } },
  { mutation: 'setDeviceEnabled', input: ({ deviceId }) => ({ deviceId, enabled: false }) },
  { mutation: 'unbindDevice', input: byId('deviceId') },
];

const GOODS: readonly WalkStep[] = [
  {
    mutation: 'createPlan',
    input: () => ({ name: 'Plan', unitPrice: '5', unitTime: 'MONTH' }),
    keeps: { otherPlanId: 'plan.id' },
  },
  { mutation: 'updatePlan', input: ({ otherPlanId }) => ({ planId: otherPlanId, name: 'Plan 2' }) },
  {
    mutation: 'createNode',
    input: () => ({ name: 'N', address: 'n.example' }),
    keeps: { nodeId: 'node.id' },
  },
  { mutation: 'updateNode', input: ({ nodeId }) => ({ nodeId, enabled: false }) },
  { mutation: 'createNodeToken', input: byId('nodeId'), keeps: { nodeToken: 'token' } },
  { mutation: 'deleteNode', input: byId('nodeId') },
  { mutation: 'createCurrency', input: () => ({ code: 'EUR', name: 'Euro', scale: 2 }) },
  { mutation: 'updateCurrency', input: () => ({ code: 'EUR', feeRate: '0.01' }) },
  {
    mutation: 'createFacility',
    input: () => ({ name: 'Shop' }),
    keeps: { facilityId: 'facility.id' },
  },
  { mutation: 'updateFacility', input: ({ facilityId }) => ({ facilityId, name: 'Shop 2' }) },
  {
    mutation: 'adjustBalance',
    input: ({ userId, facilityId }) => ({
      userId,
      facilityId,
      currency: 'EUR',
      amount: '50',
      orderId: 'walk-1',
      remark: 'Walk',
    }),
  },
  {
    mutation: 'releaseAccount',
    input: async (_kept, world) => {
      const { tenantId = '' } = _kept;
      const em = emOf(world, tenantId);
      await em.execute('update money_account set halted_at = now(3) where tenant_id = ?', [tenantId]);
      const [row] = await em.execute<{ id: string }[]>(
        'select cast(id as char) as id from money_account where tenant_id = ?',
        [tenantId],
      );
      return { accountId: row?.id };
    },
  },
  {
    mutation: 'createCouponTemplate',
    input: () => ({ name: 'C', currency: 'EUR', kind: 'AMOUNT', amount: '1' }),
    keeps: { templateId: 'template.id' },
  },
  { mutation: 'updateCouponTemplate', input: ({ templateId }) => ({ templateId, name: 'D' }) },
  { mutation: 'issueCoupon', input: ({ templateId, userId }) => ({ templateId, userId, count: 30 }) },
  { mutation: 'grantPoints', input: ({ userId }) => ({ userId, amount: 7 }) },
  { mutation: 'cancelOrder', input: async (kept, world) => ({ orderNo: await placed(kept, world) }) },
  {
    mutation: 'refundOrder',
    input: async (kept, world) => {
      const orderNo = await placed(kept, world);
      await world.services.payments.pay(kept['tenantId'] ?? '', kept['userId'] ?? '', orderNo);
      return { orderNo, reason: 'Walk' };
    },
  },
];

async function placed(kept: Kept, world: World): Promise<string> {
  const { tenantId = '', userId = '', facilityId, planId } = kept;
  const wanted = { type: 'PURCHASE', planId, currency: 'EUR', facilityId };
  const { id } = await world.services.placements.place(tenantId, userId, wanted);
  return id;
}

const CODES: readonly WalkStep[] = [
  { mutation: 'createCampaign', input: campaign, keeps: { campaignId: 'campaign.id' } },
  { mutation: 'updateCampaign', input: ({ campaignId }) => ({ campaignId, name: 'Walk 2' }) },
  { mutation: 'activateCampaign', input: byId('campaignId') },
  { mutation: 'pauseCampaign', input: byId('campaignId') },
  { mutation: 'resumeCampaign', input: byId('campaignId') },
  {
    mutation: 'generateCodes',
    input: ({ campaignId }) => ({ campaignId, count: 30 }),
    keeps: { batchId: 'batch.id', codeToken: 'codes.0', code2Token: 'codes.1' },
  },
  {
    mutation: 'addCodes',
    input: ({ campaignId }) => ({ campaignId, codes: [`${CANARY}ABCDEFGHJK`] }),
  },
  { mutation: 'setCodePool', input: ({ campaignId }) => ({ campaignId, size: 10 }) },
  {
    mutation: 'allocateCodes',
    input: async (kept, world) => {
      await world.services.pools.refill(kept['tenantId'] ?? '', kept['campaignId'] ?? '');
      return { campaignId: kept['campaignId'], count: 2, channel: 'shop' };
    },
    keeps: { soldToken: 'codes.0' },
  },
  { mutation: 'freezeBatch', input: byId('batchId') },
  { mutation: 'unfreezeBatch', input: byId('batchId') },
  { mutation: 'extendBatch', input: ({ batchId }) => ({ batchId, expiresAt: later() }) },
  {
    mutation: 'reverseRedemption',
    input: async (kept, world) => {
      const { tenantId = '', userId = '', codeToken = '' } = kept;
      const { redemption } = await redeem(world, tenantId, userId, codeToken);
      return { redemptionId: redemption?.id, reason: 'Walk' };
    },
  },
  {
    mutation: 'updateCode',
    input: async (kept, world) => ({ codeId: await codeId(kept, world), useLimit: 3, expiresAt: soon() }),
  },
  {
    mutation: 'setCodeEnabled',
    input: async (kept, world) => ({ codeId: await codeId(kept, world), enabled: false }),
  },
  {
    mutation: 'deleteCodes',
    input: async (kept, world) => ({ codeIds: [await codeId(kept, world)] }),
  },
  {
    mutation: 'generateCodes',
    input: ({ campaignId }) => ({ campaignId, count: 1, activateAtSale: true }),
    keeps: { saleId: 'batch.id', saleToken: 'codes.0' },
  },
  { mutation: 'activateBatch', input: ({ saleId }) => ({ batchId: saleId }) },
  {
    mutation: 'generateCodes',
    input: ({ campaignId }) => ({ campaignId, count: 10_001 }),
    keeps: { largeId: 'batch.id' },
  },
  { mutation: 'cancelBatch', input: ({ largeId }) => ({ batchId: largeId }) },
  { mutation: 'voidBatch', input: byId('batchId') },
  {
    mutation: 'importCodes',
    input: ({ campaignId }) => ({ campaignId, idempotencyKey: `${CANARY}-key-1` }),
    keeps: { importId: 'codeImport.id' },
  },
  { mutation: 'redriveDeadLetters', input: () => ({ all: true }) },
  { mutation: 'endCampaign', input: byId('campaignId') },
  { mutation: 'createCampaign', input: campaign, keeps: { draftId: 'campaign.id' } },
  { mutation: 'deleteCampaign', input: ({ draftId }) => ({ campaignId: draftId }) },
];

async function codeId({ tenantId = '', code2Token }: Kept, world: World): Promise<string> {
  const [row] = await systemEm(world.stores.orm).execute<{ id: string }[]>(
    'select cast(id as char) as id from code where tenant_id = ? and code_text = ?',
    [tenantId, code2Token],
  );
  return row?.id ?? '';
}

const WEBHOOKS: readonly WalkStep[] = [
  {
    mutation: 'createWebhook',
    input: () => ({ url: `https://shop.example/hook?key=${CANARY}` }),
    keeps: { webhookId: 'webhook.id', webhookToken: 'secret' },
  },
  {
    mutation: 'updateWebhook',
    input: ({ webhookId }) => ({ webhookId, rotateSecret: true }),
    keeps: { webhook2Token: 'secret' },
  },
  { mutation: 'replayWebhook', input: ({ webhookId }) => ({ webhookId, after: '0' }) },
  { mutation: 'sendTestEvent', input: byId('webhookId') },
  {
    mutation: 'resendWebhookDelivery',
    input: async ({ tenantId = '', webhookId = '' }, world) => {
      const deliveryId = world.services.ids.next();
      const row = {
        webhookId,
        seq: 1,
        eventType: 'campaign.changed',
        attempts: 1,
        status: 'FAILED',
      } as const;
      const queuedAt = new Date();
      await emOf(world, tenantId).insert(WebhookDelivery, { tenantId, id: deliveryId, queuedAt, ...row });
      return { deliveryId };
    },
  },
  { mutation: 'deleteWebhook', input: byId('webhookId') },
  { mutation: 'startReconciliation', input: () => ({ repair: true }) },
];

/** Last, because the user is of no use afterwards. */
const PRIVACY: readonly WalkStep[] = [
  { mutation: 'eraseUser', input: ({ userId }) => ({ userId, giveUpHoldings: true }) },
];

/** Every mutation of staff, in an order in which each finds what it needs. */
export const STAFF_WALK: readonly WalkStep[] = [
  ...TENANCY,
  ...IDENTITY,
  ...GOODS,
  ...CODES,
  ...WEBHOOKS,
  ...PRIVACY,
];
