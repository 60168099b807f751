import { setTimeout as pause } from 'node:timers/promises';
import type { Actor } from '../../../graphql/actor.js';
import { StoreUnavailableError } from '../../../platform/errors.js';
import type { Id } from '../../../platform/ids.js';
import type { PlatformServices } from '../../../platform/platform-services.js';
import { Periodic } from '../../../platform/scheduling/periodic.js';
import type { AccessService } from '../../access.service.js';
import type { SessionService } from '../../sessions/session.service.js';
import { Session } from '../../sessions/session.entity.js';
import { sessionRevoked } from '../device-events.js';
import type { DeviceSettings } from '../device-ports.js';
import type { PresenceRedis } from './presence.redis.js';

/** Time between the event to a device and the end of its sessions, after which no event reaches it. */
const TELL_MS = 1500;
/** A device counts as online for several beats. */
const BEAT_EVERY_MS = 10_000;

interface PresenceParts extends Pick<PlatformServices, 'transactions' | 'outbox' | 'log'> {
  readonly redis: PresenceRedis;
  readonly settings: DeviceSettings;
  readonly sessions: Pick<SessionService, 'end'>;
  readonly access: Pick<AccessService, 'changed'>;
}

/** A device with an open socket. */
interface Online {
  readonly tenantId: string;
  readonly userId: Id;
  readonly deviceId: Id;
}

/**
 * Devices with an open WebSocket. When a user has too many online, the one online longest gets `sessionRevoked`, and its
 * sessions end. Presence is kept in Redis only: while Redis is away no device is signed off, and lost entries return
 * with the next beat.
 */
export class PresenceService {
  /** With sockets at this process, by device. */
  private readonly here = new Map<Id, { readonly online: Online; sockets: number }>();
  /** Devices that are being signed off by this process. */
  private readonly evictions = new Map<Id, Promise<void>>();
  /** While there are sockets. */
  private beats: Periodic | null = null;

  constructor(
    private readonly its: PresenceParts,
    private readonly beatEveryMs = BEAT_EVERY_MS,
  ) {}

  /** A socket was opened. Never throws. */
  async opened(actor: Actor): Promise<void> {
    const online = onlineOf(actor);
    if (online === null) return;
    const known = this.here.get(online.deviceId);
    if (known === undefined) this.here.set(online.deviceId, { online, sockets: 1 });
    else known.sockets += 1;
    if (this.beats === null) {
      const settings = { name: 'presence of devices', everyMs: this.beatEveryMs, log: this.its.log };
      this.beats = new Periodic(settings, async (signal) => this.beat(signal));
      this.beats.start();
    }
    await this.touch(online);
  }

  /** A socket was closed. Never throws. */
  async closed(actor: Actor): Promise<void> {
    const known = this.here.get(onlineOf(actor)?.deviceId ?? '');
    if (known === undefined) return;
    known.sockets -= 1;
    if (known.sockets > 0) return;
    const { tenantId, userId, deviceId } = known.online;
    this.here.delete(deviceId);
    if (this.here.size === 0) {
      void this.beats?.stop();
      this.beats = null;
    }
    await this.inRedis(async () => this.its.redis.leave(tenantId, userId, deviceId));
  }

  /** Ends at the first device for which a store is away: waiting once for each of the others would take minutes. */
  private async beat(signal: AbortSignal): Promise<void> {
    for (const { online } of this.here.values()) if (signal.aborted || !(await this.touch(online))) return;
  }

  /** Waits for devices that are being signed off. */
  async drained(): Promise<void> {
    await Promise.all(this.evictions.values());
  }

  /** @returns whether the stores were there */
  private async touch({ tenantId, userId, deviceId }: Online): Promise<boolean> {
    return this.inRedis(async () => {
      const terms = await this.its.settings.of(tenantId);
      // Its last socket was closed meanwhile.
      if (!this.here.has(deviceId)) return;
      const tooMany = await this.its.redis.touch(tenantId, userId, deviceId, terms?.onlineMax ?? 0);
      for (const id of tooMany) this.evict({ tenantId, userId, deviceId: id });
    });
  }

  /** Not awaited: the socket that was just opened does not depend on it. */
  private evict(online: Online): void {
    // A slow database may take longer than the time after which the device is named again.
    if (this.evictions.has(online.deviceId)) return;
    const eviction = this.signOff(online).catch((error: unknown) =>
      this.its.log.warn(
        { err: error, tenantId: online.tenantId },
        'a device was not signed off, trying again',
      ),
    );
    this.evictions.set(online.deviceId, eviction);
    void eviction.finally(() => this.evictions.delete(online.deviceId));
  }

  /**
   * Sends the event first, because nothing reaches a session that has ended. Ends only the sessions named in the event:
   * the device may have signed in again. Where this fails, or this process dies in between, the device keeps its place in
   * the order, and is the next one to be signed off.
   */
  private async signOff({ tenantId, userId, deviceId }: Online): Promise<void> {
    const { transactions, outbox, sessions, access, redis } = this.its;
    const reason = 'TOO_MANY_ONLINE';
    const notified = await transactions.run(tenantId, async (em) => {
      const where = { deviceId, endedAt: null };
      const open = await em.find(Session, where, { fields: ['id'], disableIdentityMap: true });
      const sessionIds = open.map(({ id }) => id);
      if (sessionIds.length > 0)
        outbox.append(em, tenantId, [sessionRevoked({ userId, deviceId, sessionIds, reason })]);
      return sessionIds;
    });
    if (notified.length === 0) return;
    await pause(TELL_MS);
    await transactions.run(tenantId, async (em) => {
      for (const sessionId of notified) await sessions.end(em, { tenantId, sessionId }, reason);
    });
    for (const sessionId of notified) access.changed({ tenantId, sessionId });
    await redis.forget(tenantId, userId, deviceId);
  }

  /** @returns whether the stores were there */
  private async inRedis(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      if (error instanceof StoreUnavailableError) return false;
      this.its.log.warn({ err: error }, 'presence failed');
    }
    return true;
  }
}

function onlineOf(actor: Actor): Online | null {
  if (actor.kind !== 'USER' || actor.deviceId === undefined) return null;
  const { tenantId, userId, deviceId } = actor;
  return { tenantId, userId, deviceId };
}
