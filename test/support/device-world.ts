import { AuthMethod, Device, TrialGrant } from '../../src/identity/devices/device.entity.js';
import { Session } from '../../src/identity/sessions/session.entity.js';
import { User } from '../../src/identity/users/user.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { startApi } from './api-server.js';
import { outcomeOf, type DevicePayload } from './devices.js';
import { emOf, openWorld, type World } from './world.js';

export interface DeviceWorld {
  readonly world: World;
  /** Of an API process behind a proxy, which may ask a captcha's provider on this machine. */
  readonly url: string;
  close(): Promise<void>;
}

export async function openDeviceWorld(): Promise<DeviceWorld> {
  const world = await openWorld();
  const server = await startApi({ TRUST_PROXY: '1', OUTGOING_ALLOWED_NETWORKS: '127.0.0.0/8' });
  const close = async (): Promise<void> => {
    await server.stop();
    await world.close();
  };
  return { world, url: server.address, close };
}

/** How many rows there are of what a sign-up makes. */
export async function rowsMade(world: World, tenantId: string) {
  const em = emOf(world, tenantId);
  return {
    users: await em.count(User, {}),
    methods: await em.count(AuthMethod, {}),
    devices: await em.count(Device, {}),
    trials: await em.count(TrialGrant, {}),
    subscriptions: await em.count(Subscription, {}),
    sessions: await em.count(Session, {}),
  };
}
export const MADE_NOTHING = { users: 0, methods: 0, devices: 0, trials: 0, subscriptions: 0, sessions: 0 };

export async function parallel(count: number, call: (index: number) => Promise<DevicePayload>) {
  return Promise.all(Array.from({ length: count }, async (_none, index) => call(index)));
}

/** How many answers there are of each kind. */
export function tally(payloads: readonly DevicePayload[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const payload of payloads) counts[outcomeOf(payload)] = (counts[outcomeOf(payload)] ?? 0) + 1;
  return counts;
}
