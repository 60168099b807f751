import path from 'node:path';
import vm from 'node:vm';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { signedUser } from '../support/cluster.js';
import { openDeviceWorld, type DeviceWorld } from '../support/device-world.js';
import { seedDeviceTenant } from '../support/devices.js';
import { truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

const SOURCES = path.resolve(import.meta.dirname, '../../sdk/src');
/** The program of a mini program: its own code, with the SDK in it. */
const PROGRAM = `
import { createClient } from '${SOURCES}/index.ts';
import { deviceSession } from '${SOURCES}/devices.ts';
import { miniFetch, miniStorage, miniWebSocket } from '${SOURCES}/mini.ts';
import { createSubscriptions } from '${SOURCES}/subscriptions.ts';

const fetch = miniFetch(wx.request);
const store = miniStorage(wx);

export async function redeem(url, token, codes) {
  const client = createClient({ url, productCode: 'DEMO', env: 'mini', token, fetch, pendingStore: store });
  const subscriptions = createSubscriptions({ url, env: 'mini', token, WebSocket: miniWebSocket(wx.connectSocket), cursorStore: store });
  const stream = subscriptions.onRedemptionSettled({ after: '0' });
  const results = [];
  for (const code of codes) results.push(await client.redeemCode(code));
  const events = [];
  for await (const event of stream) if (events.push(event) === codes.length) break;
  subscriptions.close();
  return { results, events };
}

export async function signIn(url, tenantId) {
  const device = deviceSession({ url, env: 'mini', tenantId, fetch, store, randomBytes: wx.randomBytes });
  const signedIn = await device.signIn();
  const client = createClient({ url, env: 'mini', token: device.token, fetch });
  return { ...signedIn, points: await client.myPoints() };
}

export const without = () => createClient({ url: 'https://codes.example.com', env: 'mini' });
`;

interface MiniProgram {
  redeem(
    url: string,
    token: string,
    codes: readonly string[],
  ): Promise<{
    results: { status: string; redemption: { id: string } }[];
    events: { redemptionId: string }[];
  }>;
  signIn(url: string, tenantId: string): Promise<{ isNewUser: boolean; points: { balance: number } }>;
  without(): unknown;
}

let setting: DeviceWorld;
let code: string;
beforeAll(async () => {
  setting = await openDeviceWorld();
  const bundle = await rolldown({
    input: 'program',
    platform: 'browser',
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : undefined),
        load: (id) => (id === 'program' ? PROGRAM : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'program' });
  await bundle.close();
  code = `${output[0].code};\nprogram`;
});
afterAll(async () => setting?.close());

interface Call {
  readonly url: string;
  readonly data: string;
  readonly header: Record<string, string>;
  readonly success: (reply: object) => void;
  readonly fail: (failure: object) => void;
}

/** The platform's API, on the network of this process. */
function platformOf(stored: Map<string, string>, sent: Call[]) {
  return {
    request: (call: Call) => {
      sent.push(call);
      fetch(call.url, { method: 'POST', headers: call.header, body: call.data })
        .then(async (reply) => {
          const header = Object.fromEntries(reply.headers);
          call.success({ statusCode: reply.status, header, data: await reply.text() });
          return undefined;
        })
        .catch((error: unknown) => call.fail({ errMsg: String(error) }));
    },
    connectSocket: ({ url, protocols }: { url: string; protocols: string[] }) => {
      const socket = new WebSocket(url, protocols);
      return {
        onOpen: (listener: () => void) => socket.on('open', listener),
        onMessage: (listener: (message: object) => void) =>
          socket.on('message', (data: Buffer) => listener({ data: data.toString() })),
        onError: (listener: (failure: object) => void) =>
          socket.on('error', ({ message }) => listener({ errMsg: message })),
        onClose: (listener: (close: object) => void) =>
          socket.on('close', (closeCode, reason) => listener({ code: closeCode, reason: String(reason) })),
        send: ({ data }: { data: string }) => socket.send(data),
        close: ({ code: closeCode, reason }: { code?: number; reason?: string }) =>
          socket.close(closeCode, reason),
      };
    },
    getStorageSync: (key: string) => stored.get(key) ?? '',
    setStorageSync: (key: string, value: string) => void stored.set(key, value),
    removeStorageSync: (key: string) => void stored.delete(key),
    randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
  };
}

/** Runs the program where nothing is but the language, timers and the platform's API. */
function run(stored = new Map<string, string>(), sent: Call[] = []): MiniProgram {
  const context = vm.createContext({ wx: platformOf(stored, sent), setTimeout, clearTimeout });
  const missing = [
    'fetch',
    'AbortController',
    'crypto',
    'WebSocket',
    'TextEncoder',
    'URL',
    'atob',
    'console',
  ];
  const found = vm.runInContext(
    `[${missing.map((name) => `typeof ${name}`).join(',')}]`,
    context,
  ) as string[];
  expect([...found].filter((kind) => kind !== 'undefined' && kind !== 'object')).toEqual([]);
  return vm.runInContext(code, context) as MiniProgram;
}

describe('a mini program', () => {
  it('S4.18 redeems and hears of it, with the platform API alone', async () => {
    const tenant = await seedTenant(setting.world);
    const { codes } = await seedCampaign(setting.world, tenant, 3);
    const { token, tenantId } = await signedUser(setting.world, tenant.tenantId);
    const sent: Call[] = [];
    const { results, events } = await run(new Map(), sent).redeem(setting.url, token, codes);
    expect(results.map(({ status }) => status)).toEqual(['COMMITTED', 'COMMITTED', 'COMMITTED']);
    expect(events.map(({ redemptionId }) => redemptionId)).toEqual(
      results.map(({ redemption }) => redemption.id),
    );
    expect(sent[0]?.header).toMatchObject({
      'x-product-code': 'DEMO',
      'apollographql-client-name': '@redeemkit/client mini',
    });
    expect((await truthOf(setting.world, tenantId)).committed).toHaveLength(3);
  });

  it('signs its device in, and needs nothing else', async () => {
    const { tenantId } = await seedDeviceTenant(setting.world);
    const stored = new Map<string, string>();
    expect(await run(stored).signIn(setting.url, tenantId)).toMatchObject({
      isNewUser: true,
      points: { balance: 0 },
    });
    expect(await run(stored).signIn(setting.url, tenantId)).toMatchObject({ isNewUser: false });
  });

  it('is told what it has to give', () => {
    expect(() => run().without()).toThrow('miniFetch(wx.request)');
  });
});
