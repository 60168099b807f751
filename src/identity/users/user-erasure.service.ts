import { LockMode } from '@mikro-orm/core';
import { DomainError, StoreUnavailableError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { Em } from '../../platform/database/orm.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { operationIsAbout } from '../../platform/recording/recording-em.js';
import type { AccessService } from '../access.service.js';
import type { UserHolding } from '../devices/device-ports.js';
import type { IdentityPorts } from '../identity-ports.js';
import type { ErasedTraces, UserErasure } from './user-erasure.js';
import { User } from './user.entity.js';
import { moveUserTags } from './user-tags.js';

export const ERASE_USER_REFUSALS = ['USER_NOT_FOUND', 'USER_HOLDS_GOODS'] as const;
type EraseUserRefusal = (typeof ERASE_USER_REFUSALS)[number];

/** No user of a tenant's own system has such an id: it would be refused at the sign-in. */
const ERASE_USER = `update user set external_id = concat('erased:', id), tags = '[]', status = 'DISABLED',
  erased_at = ?, version = version + 1 where tenant_id = ? and id = ?`;

interface Collaborators extends Pick<PlatformServices, 'transactions' | 'clock' | 'log'> {
  readonly access: Pick<AccessService, 'changed'>;
  readonly ports: Pick<IdentityPorts, 'userStatusChanged'>;
  readonly holdings: readonly UserHolding[];
  readonly erasures: readonly UserErasure[];
}

/** Whose data, and whether what the user still holds may be given up. */
export interface EraseWanted {
  readonly userId: Id;
  readonly giveUpHoldings?: boolean | null;
}

/**
 * Erases the personal data of a user. Ledger, orders, redemptions and audit entries stay, under an id that leads to no
 * person any more. The user's row is locked first: a redemption, a sign-in or an order under way comes before the
 * erasure, which meets what it has left, or after it, where it is refused. The tenant's own id makes a new user afterwards.
 */
export class UserErasureService {
  constructor(private readonly its: Collaborators) {}

  /** @returns when the user was erased: the first time, however often it is asked for. @throws DomainError one of {@link ERASE_USER_REFUSALS} */
  async erase(tenantId: string, { userId, giveUpHoldings }: EraseWanted): Promise<Date> {
    const traces = { deviceIds: new Set<string>(), redemptionIds: new Set<Id>(), sessionIds: new Set<Id>() };
    const now = new Date(this.its.clock.nowMs());
    const user = { tenantId, userId, now };
    const erasedAt = await this.its.transactions.runForCaller(tenantId, async (em) => {
      operationIsAbout(em, { type: 'user', id: userId });
      const row = await lockedUser(em, userId);
      if (row.erasedAt) return row.erasedAt;
      if (giveUpHoldings !== true) await this.assertHoldsNothing(em, tenantId, userId, now);
      for (const erasure of this.its.erasures) await erasure.erase?.(em, user, traces);
      await moveUserTags(em, row, row.tags, []);
      await em.execute(ERASE_USER, [now, tenantId, userId]);
      if (row.status === 'ACTIVE') await this.its.ports.userStatusChanged(em, tenantId, userId);
      return now;
    });
    await this.forget(user, traces);
    return erasedAt;
  }

  private async assertHoldsNothing(em: Em, tenantId: string, userId: Id, now: Date): Promise<void> {
    for (const holding of this.its.holdings) {
      if (!(await holding.isHeld(em, tenantId, userId, now))) continue;
      const message = `The user holds ${holding.name}, which would become unusable. Set giveUpHoldings to erase all the same.`;
      refuse('USER_HOLDS_GOODS', message, 'giveUpHoldings');
    }
  }

  private async forget(
    user: { tenantId: string; userId: Id; now: Date },
    traces: ErasedTraces,
  ): Promise<void> {
    const { tenantId, userId } = user;
    this.its.access.changed({ tenantId, userId });
    for (const sessionId of traces.sessionIds) this.its.access.changed({ tenantId, sessionId });
    const failures: unknown[] = [];
    for (const erasure of this.its.erasures) {
      try {
        await erasure.forget?.(user, traces);
      } catch (error) {
        if (error instanceof StoreUnavailableError && error.store === 'redis')
          this.its.log.warn({ err: error, tenantId }, 'what Redis holds of an erased user is left to expire');
        else failures.push(error);
      }
    }
    // The same call again does it.
    if (failures.length > 0) throw failures[0];
  }
}

async function lockedUser(em: Em, id: Id): Promise<User> {
  const lock = { disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_WRITE } as const;
  const row = isId(id) ? await em.findOne(User, { id }, lock) : null;
  return row ?? refuse('USER_NOT_FOUND', 'The tenant has no user with this id.', 'userId');
}

function refuse(code: EraseUserRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
