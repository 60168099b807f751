import type { ErasedUser, UserErasure } from '../identity/identity.module.js';
import type { MikroORM } from '@mikro-orm/core';
import { systemEm } from '../platform/database/orm.js';
import { outsideOperation } from '../platform/recording/current-operation.js';

/**
 * A receiver may answer with what it knows of the user. Events themselves hold ids, states and amounts alone. Whose event
 * it was cannot be told where the event is deleted already, so those answers go, too.
 */
const ERASE_RESPONSES = `update webhook_delivery d
    left join outbox_event e on e.tenant_id = d.tenant_id and e.seq = d.seq
     set d.response_text = null
   where d.tenant_id = ? and d.response_text is not null and (e.user_id = ? or e.seq is null)`;

/** What receivers of a user's events have answered. After the commit, because it may look at many deliveries. */
export class DeliveryErasure implements UserErasure {
  constructor(private readonly orm: MikroORM) {}

  async forget({ tenantId, userId }: ErasedUser): Promise<void> {
    await outsideOperation(async () =>
      systemEm(this.orm).execute(ERASE_RESPONSES, [tenantId, userId], 'run'),
    );
  }
}
