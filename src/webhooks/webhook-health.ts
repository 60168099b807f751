import type { MikroORM } from '@mikro-orm/core';
import { nextVersion } from '../platform/database/change-row.js';
import { tenantEm } from '../platform/database/orm.js';
import { isSet } from '../platform/assert.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { webhookDisabled } from './offered-events.js';
import { Webhook, type DisabledReason } from './webhook.entity.js';

const DISABLED_AFTER_MS = 7 * 24 * 3_600_000;

interface HealthParts extends Pick<PlatformServices, 'transactions' | 'outbox' | 'log'> {
  readonly orm: MikroORM;
}

/** What attempts say of their webhook: a success ends a time of failures, and a week without one disables it. */
export class WebhookHealth {
  constructor(private readonly its: HealthParts) {}

  async succeeded({ tenantId, id }: Webhook): Promise<void> {
    await tenantEm(this.its.orm, tenantId).nativeUpdate(
      Webhook,
      { id, failingSince: { $ne: null } },
      { failingSince: null },
    );
  }

  async failed(webhook: Webhook, nowMs: number): Promise<void> {
    const { tenantId, id, failingSince } = webhook;
    if (!isSet(failingSince)) {
      await tenantEm(this.its.orm, tenantId).nativeUpdate(
        Webhook,
        { id, failingSince: null },
        { failingSince: new Date(nowMs) },
      );
    } else if (failingSince.getTime() <= nowMs - DISABLED_AFTER_MS) {
      await this.disable(webhook, 'FAILURES', nowMs);
    }
  }

  /** Unless it was changed, or has succeeded, since it was read. */
  async disable(
    { tenantId, id, version, failingSince = null }: Webhook,
    reason: DisabledReason,
    nowMs: number,
  ): Promise<void> {
    const isDisabled = await this.its.transactions.run(tenantId, async (em) => {
      const where = {
        id,
        version,
        status: 'ENABLED' as const,
        ...(reason === 'FAILURES' && { failingSince }),
      };
      const changed = await em.nativeUpdate(Webhook, where, {
        status: 'DISABLED_BY_FAILURES',
        disabledReason: reason,
        replayAfterSeq: null,
        replayUpToSeq: null,
        version: nextVersion(),
        updatedAt: new Date(nowMs),
      });
      if (changed === 1) this.its.outbox.append(em, tenantId, [webhookDisabled({ id }, reason)]);
      return changed === 1;
    });
    if (isDisabled) this.its.log.warn({ tenantId, webhookId: id, reason }, 'a webhook was disabled');
  }
}
