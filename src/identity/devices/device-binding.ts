import type { Em } from '../../platform/database/orm.js';
import { isId, type Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { externalIdOfNew } from '../users/device-users.js';
import { User } from '../users/user.entity.js';
import type { DevicePlans, DeviceTerms } from './device-ports.js';
import { AuthMethod, Device, DeviceLinkCode, TrialGrant } from './device.entity.js';
import { refuse } from './device.errors.js';
import type { WantedLogin } from './device-input.js';
import { countBound, lockUser } from './device-rows.js';
import { digestOf, linkCodeDigest } from './device-secret.js';

/** Chosen before the transaction: a second run after an unknown COMMIT recognizes the rows of the first. */
export interface NewBinding {
  readonly userId: Id;
  readonly deviceId: Id;
  readonly trialId: Id;
  readonly secret: string;
}

export interface BindingWish {
  readonly tenantId: string;
  /** From which the device signs in. */
  readonly ip: string;
  readonly wanted: WantedLogin;
  readonly terms: DeviceTerms;
  readonly ids: NewBinding;
  readonly now: Date;
}

export interface Bound {
  readonly userId: Id;
  readonly deviceId: Id;
  readonly isNewUser: boolean;
  /** The plan of the trial that was given. */
  readonly trialPlanId: Id | null;
}

/** Binds an identifier that is not bound: to a new user, or to the user of a link code. */
export class DeviceBinding {
  constructor(
    private readonly plans: DevicePlans,
    private readonly log: PlatformServices['log'],
  ) {}

  /**
   * User, auth method and device, and the trial. The auth method comes first: its primary key lets one of
   * several concurrent sign-ups through, and the others wait for it without holding locks.
   */
  async signUp(em: Em, wish: BindingWish): Promise<Bound> {
    const { tenantId, ids, now } = wish;
    const { userId, deviceId } = ids;
    await insertAuthMethod(em, wish, userId);
    await em.insert(User, {
      tenantId,
      id: userId,
      externalId: externalIdOfNew(userId),
      status: 'ACTIVE',
      tags: [],
      version: 1,
      createdAt: now,
    });
    await insertDevice(em, wish, userId);
    return { userId, deviceId, isNewUser: true, trialPlanId: await this.giveTrial(em, wish) };
  }

  /**
   * Binds a further device to the user of the link code.
   * @throws DomainError LINK_CODE_NOT_FOUND, USER_DISABLED, DEVICE_LIMIT_REACHED
   */
  async link(em: Em, wish: BindingWish, linkCode: string): Promise<Bound> {
    const { tenantId, terms, ids, now } = wish;
    const code = await findLinkCode(em, tenantId, linkCode, now);
    if (code === null) return refuse('LINK_CODE_NOT_FOUND', 'linkCode');
    const { userId } = code;
    const user = await lockUser(em, userId);
    await spendLinkCode(em, code);
    if (user?.status !== 'ACTIVE') refuse('USER_DISABLED');
    const ofPlans = await this.plans.deviceLimit(em, tenantId, userId, now);
    const limits = [terms.devicesMax, ofPlans].filter((limit) => limit > 0);
    if ((await countBound(em, userId)) >= Math.min(...limits)) refuse('DEVICE_LIMIT_REACHED');
    await insertAuthMethod(em, wish, userId);
    await insertDevice(em, wish, userId);
    return { userId, deviceId: ids.deviceId, isNewUser: false, trialPlanId: null };
  }

  /** If the plan cannot be given, the user signs up without a trial. */
  private async giveTrial(em: Em, { tenantId, wanted, terms, ids, now }: BindingWish): Promise<Id | null> {
    const { trial } = terms;
    const key = { kind: 'DEVICE', identifier: wanted.identifier } as const;
    if (trial === null || !isId(trial.planId) || (await em.count(TrialGrant, key)) > 0) return null;
    const { userId, trialId } = ids;
    const subscriptionId = await this.plans.giveTrial(em, tenantId, { ...trial, userId, trialId }, now);
    if (subscriptionId === null) {
      this.log.warn({ tenantId, planId: trial.planId }, 'the plan of the trial cannot be given');
      return null;
    }
    await em.insert(TrialGrant, { ...key, tenantId, id: trialId, userId, subscriptionId, grantedAt: now });
    return trial.planId;
  }
}

/** The row of a typed code; null if it is unknown or has expired. */
export async function findLinkCode(
  em: Em,
  tenantId: string,
  typed: string,
  now: Date,
): Promise<DeviceLinkCode | null> {
  const digest = linkCodeDigest(tenantId, typed);
  const found = await em.findOne(DeviceLinkCode, { digest }, { disableIdentityMap: true });
  return found !== null && found.expiresAt.getTime() > now.getTime() ? found : null;
}

/** Deletes the code: of two calls with the same code, the second is refused. @throws DomainError LINK_CODE_NOT_FOUND */
export async function spendLinkCode(em: Em, code: DeviceLinkCode | null): Promise<void> {
  const spent = code === null ? 0 : await em.nativeDelete(DeviceLinkCode, { digest: code.digest });
  if (spent !== 1) refuse('LINK_CODE_NOT_FOUND', 'linkCode');
}

async function insertAuthMethod(em: Em, { tenantId, wanted, now }: BindingWish, userId: Id): Promise<void> {
  const { identifier } = wanted;
  await em.insert(AuthMethod, { tenantId, kind: 'DEVICE', identifier, userId, createdAt: now });
}

async function insertDevice(em: Em, { tenantId, wanted, ids, now }: BindingWish, userId: Id): Promise<void> {
  const { identifier, userAgent, shortCode } = wanted;
  await em.insert(Device, {
    tenantId,
    id: ids.deviceId,
    userId,
    identifier,
    userAgent,
    shortCode,
    secretDigest: digestOf(ids.secret),
    status: 'ENABLED',
    version: 1,
    createdAt: now,
    lastSeenAt: now,
    unboundAt: null,
  });
}
