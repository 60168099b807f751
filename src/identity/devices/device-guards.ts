import type { User } from '../users/user.entity.js';
import type { Device } from './device.entity.js';
import type { WantedLogin } from './device-input.js';
import { refuse } from './device.errors.js';
import { digestOf, isSameDigest } from './device-secret.js';

/**
 * Checks the secret first: an unproven caller must not learn that the device is disabled.
 * @throws DomainError DEVICE_SECRET_REQUIRED, DEVICE_SECRET_WRONG, USER_DISABLED, DEVICE_DISABLED
 */
export function assertMaySignIn(
  device: Pick<Device, 'secretDigest' | 'status'>,
  user: Pick<User, 'status'>,
  { secret }: Pick<WantedLogin, 'secret'>,
): void {
  if (secret === null) refuse('DEVICE_SECRET_REQUIRED', 'secret');
  if (!isSameDigest(digestOf(secret), device.secretDigest)) refuse('DEVICE_SECRET_WRONG', 'secret');
  assertEnabled(device, user);
}

/** @throws DomainError USER_DISABLED, DEVICE_DISABLED */
export function assertEnabled(device: Pick<Device, 'status'>, user: Pick<User, 'status'>): void {
  if (user.status !== 'ACTIVE') refuse('USER_DISABLED');
  if (device.status !== 'ENABLED') refuse('DEVICE_DISABLED');
}
