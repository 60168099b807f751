import type { Id } from '../../platform/ids.js';
import type { OutboxDraft } from '../../platform/outbox/outbox.js';
import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import type { SessionEndReason } from '../sessions/session.entity.js';

/** The sessions of a device have ended, or are about to. */
export const SESSION_REVOKED = 'session_revoked';

export interface RevokedDevice {
  readonly userId: Id;
  readonly deviceId: Id;
  readonly sessionIds: readonly Id[];
  readonly reason: SessionEndReason;
}

export function sessionRevoked({ userId, ...payload }: RevokedDevice): OutboxDraft {
  return { type: SESSION_REVOKED, userId, payload };
}

/** The events for a subscriber: those of its own session, or all if its token has no session. */
export function revokedFor(event: PublishedEvent, ownSessionId: Id | null): object[] {
  const { deviceId, sessionIds, reason } = event.payload as unknown as RevokedDevice;
  return ownSessionId === null || sessionIds.includes(ownSessionId) ? [{ deviceId, reason }] : [];
}
