import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { graphqlRequest } from './graphql-client.js';
import { seedTenant, type SeededTenant, type World } from './world.js';

const SESSION = 'accessToken refreshToken sessionId deviceId userId';
const LOGIN = `mutation ($input: DeviceLoginInput!) {
  deviceLogin(input: $input) { ${SESSION} isNewUser deviceSecret errors { code retryAfterMs } }
}`;

export interface DevicePayload {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly sessionId: string;
  readonly deviceId: string;
  readonly userId: string;
  readonly isNewUser: boolean;
  readonly deviceSecret: string | null;
  /** Only of a sign-in with the time to wait. */
  readonly errors: readonly { readonly code: string; readonly retryAfterMs?: number | null }[];
}

/** A payload's first refusal, or OK. */
export const outcomeOf = (payload: { readonly errors: readonly { readonly code: string }[] }): string =>
  payload.errors[0]?.code ?? 'OK';

export const newSecret = (): string => randomBytes(32).toString('base64url');
export const newIdentifier = (): string => `d-${randomBytes(8).toString('hex')}`;

export interface DeviceLoginCall {
  readonly identifier: string;
  readonly userAgent?: string;
  readonly shortCode?: string;
  readonly captchaToken?: string;
  readonly secret?: string;
  readonly linkCode?: string;
}

/** One sign-in over HTTP. @param ip of the client, as a proxy tells it */
export async function deviceLogin(
  url: string,
  tenantId: string | null,
  input: DeviceLoginCall,
  ip?: string,
): Promise<DevicePayload> {
  return mutate<DevicePayload>(url, LOGIN, input, {
    headers: {
      ...(tenantId !== null && { 'x-tenant-id': tenantId }),
      ...(ip !== undefined && { 'x-forwarded-for': ip }),
    },
  });
}

/** The payload of the only field of a mutation; a failure of the transport fails the test. */
async function mutate<Payload>(
  url: string,
  query: string,
  input: object,
  more: { readonly token?: string; readonly headers?: Record<string, string> } = {},
): Promise<Payload> {
  const answer = await graphqlRequest<Record<string, Payload>>(url, { query, variables: { input }, ...more });
  const payload = Object.values(answer.data ?? {})[0];
  if (!payload) throw new Error(`No payload: ${JSON.stringify(answer.errors)}`);
  return payload;
}

export async function refreshDevice(url: string, refreshToken: string): Promise<DevicePayload> {
  const query = `mutation ($input: RefreshDeviceSessionInput!) {
    refreshDeviceSession(input: $input) { ${SESSION} errors { code } }
  }`;
  return mutate(url, query, { refreshToken });
}

export async function linkCodeOf(url: string, token: string, input: object = {}): Promise<string> {
  const query = `mutation ($input: CreateDeviceLinkCodeInput!) {
    createDeviceLinkCode(input: $input) { linkCode errors { code } }
  }`;
  const { linkCode, errors } = await mutate<{ linkCode: string; errors: { code: string }[] }>(
    url,
    query,
    input,
    { token },
  );
  if (errors.length > 0) throw new Error(`No link code: ${JSON.stringify(errors)}`);
  return linkCode;
}

interface Changed {
  readonly device: { readonly id: string; readonly status: string; readonly unboundAt: string | null } | null;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

export async function unbindDevice(url: string, token: string, deviceId: string): Promise<Changed> {
  const query = `mutation ($input: UnbindDeviceInput!) {
    unbindDevice(input: $input) { device { id status unboundAt } errors { code message } }
  }`;
  return mutate(url, query, { deviceId }, { token });
}

export async function setDeviceEnabled(
  url: string,
  token: string,
  deviceId: string,
  enabled: boolean,
): Promise<Changed> {
  const query = `mutation ($input: SetDeviceEnabledInput!) {
    setDeviceEnabled(input: $input) { device { id status unboundAt } errors { code message } }
  }`;
  return mutate(url, query, { deviceId, enabled }, { token });
}

/** How a query of the caller ends: OK, or the code of the error. */
export async function accessOf(url: string, token: string): Promise<string> {
  const { data, errors } = await graphqlRequest(url, { query: '{ myDevices { id } }', token });
  return data ? 'OK' : (errors?.[0]?.extensions.code ?? '');
}

export interface DeviceTenantSettings {
  readonly auth?: object;
  readonly register?: object;
  readonly device?: object;
}

/** A fresh tenant where devices sign in, as many as like. */
export async function seedDeviceTenant(
  world: World,
  settings: DeviceTenantSettings | ((tenant: SeededTenant) => DeviceTenantSettings) = {},
  plan: Record<string, unknown> = {},
): Promise<SeededTenant> {
  const tenant = await seedTenant(world, plan);
  const { auth, register, device } = typeof settings === 'function' ? settings(tenant) : settings;
  await world.services.settingChanges.update(tenant.tenantId, {
    auth: { deviceSignInEnabled: true, ...auth },
    register: { signUpsPerAddress: 0, ...register },
    ...(device !== undefined && { device }),
  });
  return tenant;
}

/** What a captcha's provider was asked. */
export interface CaptchaProvider {
  readonly url: string;
  readonly asked: URLSearchParams[];
  /** What it answers next, in place of a verdict. */
  fails(status: number, body: string): void;
  /** From now on it answers nothing, until the result is called. */
  hangs(): () => void;
  /** How many wait for an answer. */
  waiting(): number;
  close(): Promise<void>;
}

/** A provider of captchas that takes the token "solved" and the given secret, by the form of `siteverify`. */
export async function startCaptchaProvider(secret: string): Promise<CaptchaProvider> {
  const asked: URLSearchParams[] = [];
  let failure: { status: number; body: string } | null = null;
  let answers: Promise<void> = Promise.resolve();
  let waiting = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      asked.push(form);
      const success = form.get('secret') === secret && form.get('response') === 'solved';
      const codes = success ? [] : ['invalid-input-response'];
      waiting += 1;
      response.on('close', () => {
        waiting -= 1;
      });
      const { status, body } = failure ?? {
        status: 200,
        body: JSON.stringify({ success, 'error-codes': codes }),
      };
      failure = null;
      void answers.then(() => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/siteverify`,
    asked,
    fails: (status, body) => {
      failure = { status, body };
    },
    hangs: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      answers = promise;
      return () => resolve();
    },
    waiting: () => waiting,
    close: async () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
