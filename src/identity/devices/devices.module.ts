import type { Config } from '../../config.js';
import type { OutgoingHttp } from '../../platform/outgoing/outgoing-http.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { TenantSettingsService } from '../../tenancy/settings/tenant-settings.service.js';
import type { AccessService } from '../access.service.js';
import type { IdentityPorts } from '../identity-ports.js';
import type { SessionService } from '../sessions/session.service.js';
import type { TokenService } from '../token.service.js';
import { LocalCaptchaVerifier } from './captcha/captcha-verifier.js';
import { HttpCaptchaVerifier } from './captcha/http-captcha-verifier.js';
import { DeviceChangeService } from './device-change.service.js';
import { DeviceErasure } from './device-erasure.js';
import { DeviceLinkService } from './device-link.service.js';
import { DeviceLoginService } from './device-login.service.js';
import type { DevicePlans, UserHolding, Windows } from './device-ports.js';
import { DeviceQueriesResolver } from './device-queries.resolver.js';
import { DeviceReaderService } from './device-reader.service.js';
import { DeviceSessionService } from './device-sessions.service.js';
import { deviceSettingsOf } from './device-settings.js';
import { DeviceTokens } from './device-tokens.js';
import { AuthMethod, Device, DeviceLinkCode, TrialGrant } from './device.entity.js';
import { DeviceResolver } from './device.resolver.js';
import { DEVICE_PERMISSIONS } from './devices.permissions.js';
import type { UserErasure } from '../users/user-erasure.js';
import { PresenceRedis } from './presence/presence.redis.js';
import { PresenceService } from './presence/presence.service.js';

interface Needs extends PlatformServices {
  readonly config: Config;
  readonly outgoing: Pick<OutgoingHttp, 'send'>;
  readonly tokens: TokenService;
  readonly access: AccessService;
  readonly sessions: SessionService;
  readonly settings: TenantSettingsService;
  readonly identityPorts: IdentityPorts;
  readonly userHoldings: readonly UserHolding[];
  readonly userErasures: UserErasure[];
  readonly trials: DevicePlans;
  readonly windows: Windows;
}

const SWEEP_EVERY_MS = 3_600_000;

/** Devices that sign users in. It comes after the features whose goods users own, because identity does not know those. */
export const devices = {
  name: 'identity/devices',
  entities: [Device, AuthMethod, TrialGrant, DeviceLinkCode],
  resolvers: [DeviceResolver, DeviceQueriesResolver],
  permissions: DEVICE_PERMISSIONS,
  compose: (its: Needs) => {
    const settings = deviceSettingsOf(its.settings);
    const isLocal = its.config.CAPTCHA_VERIFIER === 'local';
    const captcha = isLocal ? new LocalCaptchaVerifier() : new HttpCaptchaVerifier(its.outgoing, its.log);
    const parts = {
      ...its,
      settings,
      captcha,
      tokens: new DeviceTokens(its.tokens, its.clock),
      plans: its.trials,
    };
    const logins = new DeviceLoginService(parts);
    const deviceSessions = new DeviceSessionService(parts);
    const links = new DeviceLinkService(its);
    const changes = new DeviceChangeService(its);
    its.userErasures.push(new DeviceErasure(its));
    const reader = new DeviceReaderService(its.readOrm);
    const presence = new PresenceService({ ...parts, redis: new PresenceRedis(its.redis) });
    const sweep = async (): Promise<void> => void (await links.sweep());
    return {
      services: {
        deviceLogins: logins,
        deviceSessions,
        deviceLinks: links,
        deviceChanges: changes,
        devices: reader,
        presence,
      },
      resolvers: [
        new DeviceResolver({ logins, deviceSessions, links, changes }),
        new DeviceQueriesResolver(reader),
      ],
      jobs: [
        {
          name: 'expired link codes deleted',
          everyMs: SWEEP_EVERY_MS,
          where: 'IN_ONE' as const,
          run: sweep,
        },
      ],
    };
  },
};
