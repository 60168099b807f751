import type { Clock } from '../../platform/clock.js';
import type { Id } from '../../platform/ids.js';
import type { OpenedSession } from '../sessions/session.service.js';
import { TOKEN_TTL_MAX_S } from '../token-life.js';
import type { TokenService } from '../token.service.js';

const TTL_S = TOKEN_TTL_MAX_S.BY_PROGRAM;

/** What a device gets with each sign-in and each refresh. */
export interface DeviceSession {
  readonly userId: Id;
  readonly deviceId: Id;
  readonly sessionId: Id;
  /** For requests, for 15 minutes. */
  readonly accessToken: string;
  readonly expiresAt: Date;
  /** For the next session; works once. */
  readonly refreshToken: string;
  readonly refreshExpiresAt: Date;
}

export interface SignedInDevice extends DeviceSession {
  readonly isNewUser: boolean;
  /** The secret that the server has chosen; null where the client has. */
  readonly deviceSecret: string | null;
}

/** Makes the tokens of sessions of devices. */
export class DeviceTokens {
  constructor(
    private readonly tokens: Pick<TokenService, 'sign'>,
    private readonly clock: Clock,
  ) {}

  of(
    { tenantId, userId, deviceId }: { readonly tenantId: string; readonly userId: Id; readonly deviceId: Id },
    { sessionId, refreshToken, refreshExpiresAt }: OpenedSession,
  ): DeviceSession {
    const expiresAt = new Date(this.clock.nowMs() + TTL_S * 1000);
    const accessToken = this.tokens.sign({ kind: 'USER', tenantId, userId, sessionId, deviceId }, TTL_S);
    return { userId, deviceId, sessionId, accessToken, expiresAt, refreshToken, refreshExpiresAt };
  }
}
