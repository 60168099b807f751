import type { Em } from '../../platform/database/orm.js';
import { changeRow, nextVersion, type ExpectedVersion } from '../../platform/database/change-row.js';
import { isId, type Id } from '../../platform/ids.js';
import { operationIsAbout } from '../../platform/recording/recording-em.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { present } from '../../platform/assert.js';
import type { AccessService } from '../access.service.js';
import type { IdentityPorts } from '../identity-ports.js';
import type { SessionEndReason } from '../sessions/session.entity.js';
import type { SessionService } from '../sessions/session.service.js';
import { User } from '../users/user.entity.js';
import { sessionRevoked } from './device-events.js';
import type { UserHolding } from './device-ports.js';
import { isKnownElsewhere, lockDevice, lockUser } from './device-rows.js';
import { AuthMethod, Device, type DeviceStatus } from './device.entity.js';
import { refusal, refuse } from './device.errors.js';

interface DeviceChangeParts extends Pick<PlatformServices, 'transactions' | 'outbox' | 'clock'> {
  readonly sessions: SessionService;
  readonly access: Pick<AccessService, 'changed'>;
  readonly identityPorts: IdentityPorts;
  readonly userHoldings: readonly UserHolding[];
}

/** The user who must own the device; null for staff, who may change any device of their tenant. */
type Owner = Id | null;

interface MeantDevice {
  readonly owner: Owner;
  readonly deviceId: Id;
  /** Whether an earlier run with an unknown COMMIT has made the change. */
  readonly isDone?: (device: Device) => boolean;
}

interface Changed {
  readonly device: Device;
  readonly endedSessions: readonly Id[];
  /** Whether the change disabled the user. */
  readonly isUserDisabled: boolean;
}

/** Unbinds, disables and enables devices, and ends their sessions. */
export class DeviceChangeService {
  constructor(private readonly its: DeviceChangeParts) {}

  /**
   * Unbinds the device from its user. Its sessions, tokens and sockets end; its identifier may sign up again.
   * @throws DomainError one of `UNBIND_DEVICE_REFUSALS`
   */
  async unbind(tenantId: string, owner: Owner, deviceId: Id): Promise<Device> {
    // Chosen before the transaction: a second run after an unknown COMMIT recognizes the first by it.
    const unboundAt = new Date(this.its.clock.nowMs());
    const isDone = (device: Device): boolean => device.unboundAt?.getTime() === unboundAt.getTime();
    return this.change(tenantId, { owner, deviceId, isDone }, async (em, device, user) => {
      operationIsAbout(em, { type: 'device', id: device.id });
      const isUserDisabled = await this.leaveUser(em, tenantId, device, user);
      await em.nativeUpdate(Device, { id: device.id }, { unboundAt, version: nextVersion() });
      await em.nativeDelete(AuthMethod, { kind: 'DEVICE', identifier: device.identifier });
      const endedSessions = await this.revoke(em, device, 'UNBOUND');
      return { device: { ...device, unboundAt, version: device.version + 1 }, endedSessions, isUserDisabled };
    });
  }

  /** @throws DomainError one of `SET_DEVICE_ENABLED_REFUSALS` */
  async setEnabled(
    tenantId: string,
    deviceId: Id,
    isEnabled: boolean,
    expected: ExpectedVersion,
  ): Promise<Device> {
    return this.change(tenantId, { owner: null, deviceId }, async (em, { id }) => {
      const status: DeviceStatus = isEnabled ? 'ENABLED' : 'DISABLED';
      const changed = await changeRow(em, Device, { id }, expected, () => ({ status }));
      const { after: device } = present(changed, 'A locked device');
      const endedSessions = isEnabled ? [] : await this.revoke(em, device, 'DISABLED');
      return { device, endedSessions, isUserDisabled: false };
    });
  }

  /** Locks the user, then the device. The change takes effect in this process at once, in others within a second. */
  private async change(
    tenantId: string,
    { owner, deviceId, isDone }: MeantDevice,
    work: (em: Em, device: Device, user: User) => Promise<Changed>,
  ): Promise<Device> {
    if (!isId(deviceId)) return refuse('DEVICE_NOT_FOUND', 'deviceId');
    const changed = await this.its.transactions.runForCaller(tenantId, async (em, readsBack) => {
      const found = await em.findOne(Device, { id: deviceId }, { disableIdentityMap: true });
      if (found === null || (owner !== null && found.userId !== owner))
        return refuse('DEVICE_NOT_FOUND', 'deviceId');
      const user = present(await lockUser(em, found.userId), 'The user of a device');
      const device = present(await lockDevice(em, deviceId), 'A device');
      if (readsBack && isDone?.(device) === true)
        return { device, endedSessions: [], isUserDisabled: user.status !== 'ACTIVE' };
      return device.unboundAt ? refuse('DEVICE_NOT_FOUND', 'deviceId') : work(em, device, user);
    });
    const { device, endedSessions, isUserDisabled } = changed;
    for (const sessionId of endedSessions) this.its.access.changed({ tenantId, sessionId });
    if (isUserDisabled) this.its.access.changed({ tenantId, userId: device.userId });
    return device;
  }

  /**
   * Refuses to unbind the last device of a user who still holds something. A user who holds nothing is disabled, so that
   * an order, a PROCESSING redemption or a transfer under way cannot credit an account without a way in.
   * @returns whether the user was disabled
   */
  private async leaveUser(em: Em, tenantId: string, device: Device, user: User): Promise<boolean> {
    const others = { userId: user.id, unboundAt: null, status: 'ENABLED', id: { $ne: device.id } } as const;
    if (isKnownElsewhere(user) || (await em.count(Device, others)) > 0) return false;
    const now = new Date(this.its.clock.nowMs());
    for (const holding of this.its.userHoldings) {
      if (!(await holding.isHeld(em, tenantId, user.id, now))) continue;
      const message = `This is the last device of its user, who holds ${holding.name}. Link another device first.`;
      throw refusal('USER_WOULD_BE_ORPHANED', { field: ['input', 'deviceId'] }, message);
    }
    if (user.status !== 'ACTIVE') return false;
    await em.nativeUpdate(User, { id: user.id }, { status: 'DISABLED', version: nextVersion() });
    await this.its.identityPorts.userStatusChanged(em, tenantId, user.id);
    return true;
  }

  private async revoke(
    em: Em,
    { tenantId, id: deviceId, userId }: Device,
    reason: SessionEndReason,
  ): Promise<Id[]> {
    const sessionIds = await this.its.sessions.end(em, { tenantId, deviceId }, reason);
    const revoked = { userId, deviceId, sessionIds, reason };
    if (sessionIds.length > 0) this.its.outbox.append(em, tenantId, [sessionRevoked(revoked)]);
    return sessionIds;
  }
}
