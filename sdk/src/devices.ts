import { connectionOf } from './connection.js';
import {
  RedeemkitError,
  refusedError,
  UnauthenticatedError,
  UnavailableError,
  type Refusal,
} from './errors.js';
import {
  CreateDeviceLinkCode,
  DeviceLogin,
  RefreshDeviceSession,
  SignOutDevice,
  type DeviceLoginInput,
  type RefreshDeviceSessionErrorCode,
} from './generated/operations.js';
import type { ConnectionOptions, TokenAsk } from './options.js';
import { randomKey, secureRandom, type TextStore } from './platform.js';
import { base64UrlOf } from './text.js';
import { platformLock, type Lock } from './lock.js';
import { lifetimeMsOf, Tokens } from './tokens.js';
import { Transport, type CallOptions } from './transport.js';

export type { Lock } from './lock.js';

export interface DeviceOptions extends ConnectionOptions {
  readonly tenantId: string;
  /** Where the device's secret and session are kept: `localStorage`, or a key chain. A program that reads them can act as the device. */
  readonly store: TextStore;
  /** What the device is called; a random one is made and stored by default. */
  readonly identifier?: string;
  /** What the device shows its user. */
  readonly shortCode?: string;
  readonly userAgent?: string;
  /** Shows a captcha and resolves with its answer, for tenants that ask for one. */
  readonly captcha?: () => Promise<string>;
  /** Random bytes, for platforms without `crypto.getRandomValues`: a device's secret must not be guessed. */
  readonly randomBytes?: (length: number) => Uint8Array | Promise<Uint8Array>;
  readonly lock?: Lock;
}

export interface SignInOptions extends CallOptions {
  /** Of `createLinkCode` on another device: this device joins its user. */
  readonly linkCode?: string;
}

export interface SignOutOptions extends CallOptions {
  /** The sessions of all devices of the user. */
  readonly everywhere?: boolean;
}

export interface SignedInDevice {
  readonly userId: string;
  readonly deviceId: string;
  /** Whether this sign-in made the user. */
  readonly isNewUser: boolean;
}

/** Signs a device in and keeps it signed in. */
export interface DeviceSession {
  /** For the option `token` of a client: a token that is good, refreshed before it ends. Null before the first sign-in. */
  readonly token: (ask: TokenAsk) => Promise<string | null>;
  /** Signs up or in. Safe to repeat: a device that chose its secret is one device. @throws RefusedError */
  signIn(options?: SignInOptions): Promise<SignedInDevice>;
  /** Ends the session at the server, then here. The device stays bound, and may sign in again. */
  signOut(options?: SignOutOptions): Promise<void>;
  /** For one further device to join this user. @throws RefusedError */
  createLinkCode(options?: CallOptions): Promise<{ readonly linkCode: string; readonly expiresAt: string }>;
}

interface Identity {
  readonly identifier: string;
  readonly secret: string;
}

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** By the clock of this device. */
  readonly refreshAtMs: number;
}

const IDENTITY_ITEM = 'redeemkit.device';
const SESSION_ITEM = 'redeemkit.session';
const SECRET_BYTES = 32;
/** A token of a captcha works once, and a user may fail it. */
const CAPTCHAS_MAX = 3;
/** How long before a token's end it is refreshed: as long as a request may take on its way. */
const REFRESH_BEFORE_MS = 60_000;
/** The refresh token is spent or unknown; the device proves itself by its secret instead. */
const SPENT: ReadonlySet<RefreshDeviceSessionErrorCode> = new Set([
  'REFRESH_TOKEN_REUSED',
  'REFRESH_TOKEN_UNKNOWN',
]);

/** @throws TypeError for options that cannot work */
export function deviceSession(options: DeviceOptions): DeviceSession {
  const device = new Device(options);
  return {
    token: async (ask) => device.token(ask),
    signIn: async (more) => device.signIn(more),
    signOut: async (more) => device.signOut(more),
    createLinkCode: async (more) => device.createLinkCode(more),
  };
}

class Device {
  private readonly options: DeviceOptions;
  /** Sign-in and refresh need no token. */
  private readonly anonymous: Transport;
  private readonly signedIn: Transport;
  private readonly lock: Lock;
  private renewing: Promise<Session | null> | null = null;

  constructor(options: DeviceOptions) {
    const connection = connectionOf(options);
    this.options = options;
    this.anonymous = new Transport(connection, new Tokens(undefined));
    this.signedIn = new Transport(connection, new Tokens(async (ask) => this.token(ask)));
    this.lock = options.lock ?? platformLock();
  }

  async token({ refused, code }: TokenAsk): Promise<string | null> {
    const session = await this.session();
    if (session === null) return null;
    const isRefused = session.accessToken === refused;
    if (!isRefused && Date.now() < session.refreshAtMs) return session.accessToken;
    if (isRefused && code === 'SESSION_ENDED') {
      // Ended on purpose, here or by staff: only its user signs in again.
      await this.options.store.removeItem(SESSION_ITEM);
      return null;
    }
    this.renewing ??= this.locked(async () => this.renew(session)).finally(() => (this.renewing = null));
    return (await this.renewing)?.accessToken ?? null;
  }

  async signIn(more: SignInOptions = {}): Promise<SignedInDevice> {
    return this.locked(async () => this.login(more));
  }

  async signOut({ everywhere = false, signal }: SignOutOptions = {}): Promise<void> {
    try {
      await this.signedIn.repeat(SignOutDevice, { input: { everywhere } }, { signal });
    } catch (error) {
      // It has ended already, perhaps by an attempt whose answer was lost.
      if (!(error instanceof UnauthenticatedError)) throw error;
    } finally {
      await this.options.store.removeItem(SESSION_ITEM);
    }
  }

  async createLinkCode(more: CallOptions = {}): Promise<{ linkCode: string; expiresAt: string }> {
    const { createDeviceLinkCode } = await this.signedIn.repeat(CreateDeviceLinkCode, { input: {} }, more);
    const { linkCode, expiresAt, errors } = createDeviceLinkCode;
    if (linkCode === null || expiresAt === null) throw refusedError(errors);
    return { linkCode, expiresAt };
  }

  /** One at a time: a refresh token works once. */
  private async locked<T>(work: () => Promise<T>): Promise<T> {
    const { tenantId, identifier = '' } = this.options;
    return this.lock(`redeemkit ${tenantId} ${identifier}`, work);
  }

  private async renew(stale: Session): Promise<Session | null> {
    const session = await this.session();
    // Another tab was faster, or has signed out. Two access tokens of one second are the same text.
    if (session === null || session.refreshToken !== stale.refreshToken) return session;
    try {
      const input = { refreshToken: session.refreshToken };
      const { refreshDeviceSession: payload } = await this.anonymous.send(RefreshDeviceSession, { input });
      const [refusal] = payload.errors;
      if (refusal === undefined) return await this.save(payload);
      if (!SPENT.has(refusal.code)) throw new UnauthenticatedError(refusal.code, refusal.message);
    } catch (error) {
      if (!(error instanceof RedeemkitError) || !error.isRetryable) throw error;
      // The answer may be lost and the token spent. Sent again it would end the session.
    }
    await this.login({});
    return this.session();
  }

  private async login({ linkCode, signal }: SignInOptions): Promise<SignedInDevice> {
    const { shortCode, userAgent, captcha } = this.options;
    const given = {
      ...(await this.identity()),
      ...(shortCode !== undefined && { shortCode }),
      ...(userAgent !== undefined && { userAgent }),
      ...(linkCode !== undefined && { linkCode }),
    };
    let captchaToken: string | null = null;
    for (let asked = 0; ; asked += 1) {
      const input = captchaToken === null ? given : { ...given, captchaToken };
      const payload = await this.loginOnce(input, signal);
      const { userId, deviceId, isNewUser, errors } = payload;
      if (await this.save(payload))
        return { userId: userId ?? '', deviceId: deviceId ?? '', isNewUser: isNewUser === true };
      const code = errors[0]?.code;
      const asksForCaptcha = code === 'CAPTCHA_REQUIRED' || code === 'CAPTCHA_REFUSED';
      if (!asksForCaptcha || captcha === undefined || asked === CAPTCHAS_MAX) throw refusedError(errors);
      captchaToken = await captcha();
    }
  }

  private async loginOnce(input: DeviceLoginInput, signal: SignInOptions['signal']) {
    const answer = await this.anonymous.repeat(
      DeviceLogin,
      { input },
      { signal, refusalIn: ({ deviceLogin }) => unavailableIn(deviceLogin.errors) },
    );
    return answer.deviceLogin;
  }

  /** Made once and stored before it is sent, so that a sign-up whose answer is lost can be repeated. */
  private async identity(): Promise<Identity> {
    const { store, identifier } = this.options;
    const known = parsed(await store.getItem(IDENTITY_ITEM)) as Identity | null;
    if (known !== null && (identifier === undefined || identifier === known.identifier)) return known;
    const bytes = await (this.options.randomBytes ?? platformBytes)(SECRET_BYTES);
    const identity = { identifier: identifier ?? randomKey(), secret: base64UrlOf(bytes) };
    await store.setItem(IDENTITY_ITEM, JSON.stringify(identity));
    return identity;
  }

  private async session(): Promise<Session | null> {
    return parsed(await this.options.store.getItem(SESSION_ITEM)) as Session | null;
  }

  private async save(payload: {
    readonly accessToken: string | null;
    readonly refreshToken: string | null;
  }): Promise<Session | null> {
    const { accessToken, refreshToken } = payload;
    if (accessToken === null || refreshToken === null) return null;
    const refreshAtMs = Date.now() + lifetimeMsOf(accessToken) - REFRESH_BEFORE_MS;
    const session = { accessToken, refreshToken, refreshAtMs };
    await this.options.store.setItem(SESSION_ITEM, JSON.stringify(session));
    return session;
  }
}

function unavailableIn([refusal]: readonly Refusal[]): RedeemkitError | null {
  return refusal?.code === 'SERVICE_UNAVAILABLE' ? new UnavailableError(refusal.code, refusal.message) : null;
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

function platformBytes(length: number): Uint8Array {
  const bytes = secureRandom(length);
  if (bytes === null) throw new TypeError('This platform has no crypto.getRandomValues. Give randomBytes.');
  return bytes;
}
