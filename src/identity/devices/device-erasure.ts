import type { PlatformServices } from '../../platform/platform-services.js';
import type { Em } from '../../platform/database/orm.js';
import type { ErasedTraces, ErasedUser, UserErasure } from '../users/user-erasure.js';
import type { SessionService } from '../sessions/session.service.js';
import { sessionRevoked } from './device-events.js';
import { Device } from './device.entity.js';

/** The row stays, because other rows have its id; it allows no sign-in, and names no device. */
const ERASE_DEVICES = `update device set identifier = concat('erased:', id), user_agent = '', short_code = null,
  secret_digest = '', status = 'DISABLED', unbound_at = coalesce(unbound_at, ?), version = version + 1
  where tenant_id = ? and user_id = ?`;
/** The identifier may have a trial again, because it is not known any more. */
const ERASE_TRIALS = `update trial_grant set identifier = concat('erased:', id) where tenant_id = ? and user_id = ?`;

const ERASE_ADDRESSES = `update session set ip = null where tenant_id = ? and kind = 'DEVICE' and subject_id = ?`;

interface Collaborators extends Pick<PlatformServices, 'outbox'> {
  readonly sessions: Pick<SessionService, 'end'>;
}

/** Devices of an erased user: their sessions end at once, and nothing tells what device it was. */
export class DeviceErasure implements UserErasure {
  constructor(private readonly its: Collaborators) {}

  async erase(em: Em, { tenantId, userId, now }: ErasedUser, traces: ErasedTraces): Promise<void> {
    const devices = await em.find(Device, { userId }, { disableIdentityMap: true, orderBy: { id: 'asc' } });
    const reason = 'DISABLED';
    for (const { id: deviceId, identifier } of devices) {
      traces.deviceIds.add(identifier);
      const sessionIds = await this.its.sessions.end(em, { tenantId, deviceId }, reason);
      for (const sessionId of sessionIds) traces.sessionIds.add(sessionId);
      if (sessionIds.length > 0)
        this.its.outbox.append(em, tenantId, [sessionRevoked({ userId, deviceId, sessionIds, reason })]);
    }
    await em.execute(ERASE_DEVICES, [now, tenantId, userId]);
    await em.execute(ERASE_TRIALS, [tenantId, userId]);
    await em.execute(ERASE_ADDRESSES, [tenantId, userId]);
    for (const table of ['auth_method', 'device_link_code'])
      await em.execute(`delete from ${table} where tenant_id = ? and user_id = ?`, [tenantId, userId]);
  }
}
