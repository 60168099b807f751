import { createHash } from 'node:crypto';
import { present } from '../../platform/assert.js';
import { ReadBackNeededError } from '../../platform/database/transaction.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { isLoopback, networkOf } from '../../platform/network-of.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { withoutPlace } from '../../platform/scheduling/held-place.js';
import type { AccessService } from '../access.service.js';
import type { OpenedSession, SessionService } from '../sessions/session.service.js';
import type { User } from '../users/user.entity.js';
import { CaptchaUnavailableError, type CaptchaVerifier } from './captcha/captcha-verifier.js';
import {
  DeviceBinding,
  findLinkCode,
  spendLinkCode,
  type BindingWish,
  type Bound,
} from './device-binding.js';
import { assertEnabled, assertMaySignIn } from './device-guards.js';
import { parseLogin, type WantedLogin } from './device-input.js';
import type { DevicePlans, DeviceSettings, DeviceTerms, Windows } from './device-ports.js';
import { findAuthMethod, findBound, findUser, lockDevice, lockUser } from './device-rows.js';
import { digestOf, isSameDigest, newDeviceSecret } from './device-secret.js';
import { Device } from './device.entity.js';
import { refusal, refuse } from './device.errors.js';
import type { DeviceTokens, SignedInDevice } from './device-tokens.js';

export interface DeviceLoginParts extends Pick<
  PlatformServices,
  'orm' | 'transactions' | 'ids' | 'clock' | 'log'
> {
  readonly sessions: SessionService;
  readonly access: Pick<AccessService, 'changed'>;
  readonly tokens: DeviceTokens;
  readonly settings: DeviceSettings;
  readonly captcha: CaptchaVerifier;
  readonly windows: Windows;
  readonly plans: DevicePlans;
}

/** The origin of a sign-in. */
export interface LoginOrigin {
  /** As the client named it. */
  readonly tenantId: string | null;
  readonly ip: string;
}

interface SignedIn extends Bound {
  readonly session: OpenedSession;
  /** Sessions that ended because the secret was replaced. */
  readonly endedSessions: readonly Id[];
}

/** The sign-in by device, which is also the sign-up. */
export class DeviceLoginService {
  private readonly binding: DeviceBinding;

  constructor(private readonly its: DeviceLoginParts) {
    this.binding = new DeviceBinding(its.plans, its.log);
  }

  /** @throws DomainError one of `DEVICE_LOGIN_REFUSALS` */
  async login({ tenantId, ip }: LoginOrigin, input: unknown): Promise<SignedInDevice> {
    const wanted = parseLogin(input);
    if (tenantId === null) return refuse('TENANT_REQUIRED');
    const terms = await this.its.settings.of(tenantId);
    if (terms === null) return refuse('TENANT_NOT_ACTIVE');
    if (!terms.enabled) refuse('DEVICE_LOGIN_DISABLED');
    await this.requireCaptcha(terms, wanted, ip);
    if (!(await this.isKnown(tenantId, wanted))) await this.admit(tenantId, terms, wanted, ip);
    const wish = this.wishOf({ tenantId, ip }, wanted, terms);
    const signedIn = await this.its.transactions.runForCaller(tenantId, async (em) => this.signIn(em, wish));
    return this.answer(wish, signedIn);
  }

  private wishOf(
    { tenantId, ip }: { readonly tenantId: string; readonly ip: string },
    wanted: WantedLogin,
    terms: DeviceTerms,
  ): BindingWish {
    const { ids, clock } = this.its;
    const secret = wanted.secret ?? newDeviceSecret();
    return {
      tenantId,
      ip,
      wanted,
      terms,
      ids: { userId: ids.next(), deviceId: ids.next(), trialId: ids.next(), secret },
      now: new Date(clock.nowMs()),
    };
  }

  private async requireCaptcha(
    { captcha }: DeviceTerms,
    { captchaToken }: WantedLogin,
    ip: string,
  ): Promise<void> {
    if (captcha === null) return;
    if (captchaToken === null || captchaToken === '') return refuse('CAPTCHA_REQUIRED', 'captchaToken');
    try {
      // A provider that hangs must not hold back the sign-ins of other tenants.
      if (await withoutPlace(async () => this.its.captcha.isSolved(captcha, { token: captchaToken, ip })))
        return;
    } catch (error) {
      if (error instanceof CaptchaUnavailableError) refuse('SERVICE_UNAVAILABLE', 'captchaToken');
      throw error;
    }
    refuse('CAPTCHA_REFUSED', 'captchaToken');
  }

  /**
   * Checks a known device before any row is locked, so that a flood of guesses at an identifier does not block other
   * sign-ins. The transaction checks again.
   */
  private async isKnown(tenantId: string, wanted: WantedLogin): Promise<boolean> {
    const em = tenantEm(this.its.orm, tenantId);
    const device = await findBound(em, wanted.identifier);
    if (device === null) return false;
    // With a link code the secret does not matter.
    if (wanted.linkCode !== null) return false;
    const user = present(await findUser(em, device.userId), 'The user of a device');
    // Between the two reads the device may have been unbound and its user disabled.
    if (user.status !== 'ACTIVE' && (await findBound(em, wanted.identifier))?.id !== device.id) return false;
    assertMaySignIn(device, user, wanted);
    return true;
  }

  /**
   * Limits new devices and guesses of link codes per address. Concurrent sign-ups of one identifier count once; the id
   * of its last unbound device tells them from those of an earlier binding.
   */
  private async admit(
    tenantId: string,
    { signUpsPerAddress: limit, signUpWindowMs: lengthMs }: DeviceTerms,
    { identifier, linkCode }: WantedLogin,
    ip: string,
  ): Promise<void> {
    // A loopback address means a local proxy that does not forward client addresses.
    if (limit === 0 || isLoopback(ip)) return;
    const em = tenantEm(this.its.orm, tenantId);
    const newestFirst = { orderBy: { id: 'desc' }, fields: ['id'], limit: 1 } as const;
    const unbound = { identifier, unboundAt: { $ne: null } };
    const [last] = await em.find(Device, unbound, { ...newestFirst, disableIdentityMap: true });
    const attempt = [identifier, last?.id ?? '', linkCode ?? ''].join('\n');
    const attemptId = createHash('sha256').update(attempt).digest('base64url');
    const key = `{${tenantId}}:sign_ups:${encodeURIComponent(networkOf(ip))}`;
    const retryAfterMs = await this.its.windows.admit(attemptId, { key, limit, lengthMs });
    if (retryAfterMs > 0) throw refusal('SIGN_UP_LIMIT_REACHED', { retryAfterMs });
  }

  /** May run several times; each run decides by the rows it finds. */
  private async signIn(em: Em, wish: BindingWish): Promise<SignedIn> {
    const { linkCode } = wish.wanted;
    const method = await findAuthMethod(em, wish.wanted.identifier);
    if (method !== null) return this.continueAs(em, wish, method.userId);
    const bound =
      linkCode === null ? await this.binding.signUp(em, wish) : await this.binding.link(em, wish, linkCode);
    return { ...bound, session: await this.openSession(em, wish, bound), endedSessions: [] };
  }

  private async continueAs(em: Em, wish: BindingWish, userId: Id): Promise<SignedIn> {
    const { wanted, ids } = wish;
    const user = present(await lockUser(em, userId), 'The user of an auth method');
    const bound = await findBound(em, wanted.identifier);
    const device = bound && (await lockDevice(em, bound.id));
    // It was unbound in the meantime, and perhaps bound again.
    if (device === null || device.unboundAt || device.userId !== userId)
      throw new ReadBackNeededError('The device was unbound while it signed in.');
    const endedSessions = await this.prove(em, wish, device, user);
    await this.note(em, wish, device.id);
    const signedIn = { userId, deviceId: device.id, isNewUser: userId === ids.userId, trialPlanId: null };
    return { ...signedIn, session: await this.openSession(em, wish, signedIn), endedSessions };
  }

  /**
   * Checks the device's secret, or replaces it if the call brings a link code of its user. The secret chosen for this
   * call is accepted, too: an earlier run may have bound the device with it.
   * @returns the sessions that have ended with the former secret
   */
  private async prove(em: Em, wish: BindingWish, device: Device, user: User): Promise<Id[]> {
    const { tenantId, wanted, ids, now } = wish;
    const { linkCode } = wanted;
    const code = linkCode === null ? null : await findLinkCode(em, tenantId, linkCode, now);
    if (code !== null && code.userId !== user.id) refuse('DEVICE_BOUND_ELSEWHERE', 'identifier');
    const secretDigest = digestOf(ids.secret);
    if (isSameDigest(secretDigest, device.secretDigest)) {
      assertEnabled(device, user);
      return [];
    }
    if (linkCode === null) {
      assertMaySignIn(device, user, wanted);
      return [];
    }
    await spendLinkCode(em, code);
    assertEnabled(device, user);
    await em.nativeUpdate(Device, { id: device.id }, { secretDigest });
    return this.its.sessions.end(em, { tenantId, deviceId: device.id }, 'CREDENTIALS_CHANGED');
  }

  private async note(em: Em, { wanted, now }: BindingWish, id: Id): Promise<void> {
    const { userAgent, shortCode } = wanted;
    const changed = { lastSeenAt: now, userAgent, ...(shortCode !== null && { shortCode }) };
    await em.nativeUpdate(Device, { id }, changed);
  }

  private async openSession(
    em: Em,
    { tenantId, ip }: BindingWish,
    { userId, deviceId }: Pick<Bound, 'userId' | 'deviceId'>,
  ): Promise<OpenedSession> {
    return this.its.sessions.open(em, { tenantId, kind: 'DEVICE', subjectId: userId, deviceId, ip });
  }

  private async answer({ tenantId, wanted, ids }: BindingWish, signedIn: SignedIn): Promise<SignedInDevice> {
    const { userId, deviceId, isNewUser, trialPlanId, session, endedSessions } = signedIn;
    for (const sessionId of endedSessions) this.its.access.changed({ tenantId, sessionId });
    if (trialPlanId !== null) await this.its.plans.trialGiven(tenantId, { userId, planId: trialPlanId });
    return {
      ...this.its.tokens.of({ tenantId, userId, deviceId }, session),
      isNewUser,
      // A sign-in without a secret has either made the device or given it this secret.
      deviceSecret: wanted.secret === null ? ids.secret : null,
    };
  }
}
