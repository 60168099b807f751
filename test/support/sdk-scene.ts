import { beforeEach } from 'vitest';
import { createClient, type ClientOptions, type RedeemkitClient } from '../../sdk/src/index.js';
import type { SignedUser } from './cluster.js';
import { openDeviceWorld, type DeviceWorld } from './device-world.js';
import { HttpProxy } from './http-proxy.js';
import { openBeforeAll } from './open-before-all.js';
import type { World } from './world.js';

/** Pauses of a client that a test does not wait for. */
export const FAST = { firstPauseMs: 5, maxPauseMs: 50 };

interface SdkScene {
  readonly world: World;
  /** Of the server itself. */
  readonly url: string;
  /** Before the server; it begins each test without acts and requests. */
  readonly proxy: HttpProxy;
  readonly clientOf: (user: Pick<SignedUser, 'token'>, more?: Partial<ClientOptions>) => RedeemkitClient;
}

/** A server for the tests of a file, behind a proxy that loses what a test wants it to lose. */
export function sdkScene(): SdkScene {
  let setting: DeviceWorld;
  let proxy: HttpProxy;
  openBeforeAll(async (closing) => {
    setting = await closing(openDeviceWorld());
    proxy = await closing(HttpProxy.start(setting.url));
  });
  beforeEach(() => {
    proxy.acts = [];
    proxy.requests.length = 0;
  });
  return {
    get world() {
      return setting.world;
    },
    get url() {
      return setting.url;
    },
    get proxy() {
      return proxy;
    },
    clientOf: ({ token }, more = {}) =>
      createClient({ url: proxy.url, productCode: 'DEMO', env: 'web', token, retry: FAST, ...more }),
  };
}
