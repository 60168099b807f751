import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { isDeviceUser } from '../users/device-users.js';
import { User } from '../users/user.entity.js';
import { AuthMethod, Device } from './device.entity.js';

const FRESH = { disableIdentityMap: true } as const;
const LOCKED = { ...FRESH, lockMode: LockMode.PESSIMISTIC_WRITE } as const;

/** Whether the tenant's own system may sign the user in, too. */
export const isKnownElsewhere = ({ externalId }: Pick<User, 'externalId'>): boolean =>
  !isDeviceUser(externalId);

export async function findBound(em: Em, identifier: string): Promise<Device | null> {
  return em.findOne(Device, { boundIdentifier: identifier }, FRESH);
}

export async function findAuthMethod(em: Em, identifier: string): Promise<AuthMethod | null> {
  return em.findOne(AuthMethod, { kind: 'DEVICE', identifier }, FRESH);
}

export async function findUser(em: Em, id: Id): Promise<User | null> {
  return em.findOne(User, { id }, FRESH);
}

/** The user's row is locked before any of the user's devices and sessions. */
export async function lockUser(em: Em, id: Id): Promise<User | null> {
  return em.findOne(User, { id }, LOCKED);
}

export async function lockDevice(em: Em, id: Id): Promise<Device | null> {
  return em.findOne(Device, { id }, LOCKED);
}

/** How many devices the user has bound. Exact for a caller who has locked the user. */
export async function countBound(em: Em, userId: Id): Promise<number> {
  return em.count(Device, { userId, unboundAt: null });
}
