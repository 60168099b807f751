import type { UserActor } from '../../graphql/actor.js';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { AccessService } from '../access.service.js';
import { parseRefreshToken, secretDigest } from '../sessions/refresh-token.js';
import { Session } from '../sessions/session.entity.js';
import type { SessionService } from '../sessions/session.service.js';
import { assertEnabled } from './device-guards.js';
import type { DeviceSettings } from './device-ports.js';
import { findUser, lockUser } from './device-rows.js';
import type { DeviceSession, DeviceTokens } from './device-tokens.js';
import { Device } from './device.entity.js';
import { refuse } from './device.errors.js';

interface DeviceSessionParts extends Pick<PlatformServices, 'orm' | 'transactions' | 'clock' | 'log'> {
  readonly sessions: SessionService;
  readonly access: Pick<AccessService, 'changed'>;
  readonly tokens: DeviceTokens;
  readonly settings: DeviceSettings;
}

/** Sessions of devices, from the sign-in to the sign-out. */
export class DeviceSessionService {
  constructor(private readonly its: DeviceSessionParts) {}

  /** @throws DomainError one of `REFRESH_DEVICE_SESSION_REFUSALS` */
  async refresh(refreshToken: string): Promise<DeviceSession> {
    const deviceId = await this.assertMayContinue(refreshToken);
    const refreshed = await this.its.sessions.refresh('DEVICE', refreshToken);
    const { tenantId, subjectId: userId } = refreshed;
    await this.noteSeen(tenantId, deviceId);
    return this.its.tokens.of({ tenantId, userId, deviceId }, refreshed);
  }

  /** The old token is used up: a failure of this must not lose the new one. */
  private async noteSeen(tenantId: string, id: Id): Promise<void> {
    const lastSeenAt = new Date(this.its.clock.nowMs());
    const noted = tenantEm(this.its.orm, tenantId).nativeUpdate(Device, { id }, { lastSeenAt });
    await noted.catch((error: unknown) =>
      this.its.log.debug({ err: error }, 'a device was not noted as seen'),
    );
  }

  /**
   * Ends the session of the token, or those of all devices of the user, also one that is being opened.
   * @throws DomainError DEVICE_SESSION_REQUIRED
   */
  async signOut({ tenantId, userId, sessionId }: UserActor, isEverywhere: boolean): Promise<Id> {
    if (sessionId === undefined) return refuse('DEVICE_SESSION_REQUIRED');
    const ended = await this.its.transactions.runForCaller(tenantId, async (em) => {
      if (isEverywhere) await lockUser(em, userId);
      const meant = isEverywhere
        ? ({ tenantId, kind: 'DEVICE', subjectId: userId } as const)
        : { tenantId, sessionId };
      return this.its.sessions.end(em, meant, 'SIGNED_OUT');
    });
    for (const id of [sessionId, ...ended]) this.its.access.changed({ tenantId, sessionId: id });
    return sessionId;
  }

  /**
   * Checked before the token is used up: after a refusal the same token may be sent again. Only a holder of the
   * session's token learns the state of its user.
   */
  private async assertMayContinue(refreshToken: string): Promise<Id> {
    const token = parseRefreshToken(refreshToken);
    if (token === null) return refuse('REFRESH_TOKEN_UNKNOWN', 'refreshToken');
    const { tenantId, sessionId: id } = token;
    const em = tenantEm(this.its.orm, tenantId);
    const session = await em.findOne(Session, { id, kind: 'DEVICE' }, { disableIdentityMap: true });
    if (session === null || session.familyDigest !== secretDigest(token.family) || !session.deviceId)
      return refuse('REFRESH_TOKEN_UNKNOWN', 'refreshToken');
    const terms = await this.its.settings.of(tenantId);
    if (terms === null) return refuse('TENANT_NOT_ACTIVE');
    if (!terms.enabled) refuse('DEVICE_LOGIN_DISABLED');
    const device = await em.findOne(Device, { id: session.deviceId }, { disableIdentityMap: true });
    const user = await findUser(em, session.subjectId);
    // An unbound or disabled device has no open session, so the answer is SESSION_ENDED.
    if (!session.endedAt && device !== null && user !== null) assertEnabled(device, user);
    return session.deviceId;
  }
}
