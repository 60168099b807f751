import type { MikroORM } from '@mikro-orm/core';
import { systemEm, tenantEm } from '../platform/database/orm.js';
import { ACROSS_TENANTS } from '../platform/database/tenant-filter.js';
import type { Id } from '../platform/ids.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import { Webhook } from './webhook.entity.js';

const AT_ONCE = 500;

/** Moves stored secrets to the present pepper, so that a previous one can be taken out of the configuration. */
export class SecretResealing {
  constructor(
    private readonly orm: MikroORM,
    private readonly secrets: WebhookSecrets,
  ) {}

  /** All tenants; safe to run at once in several workers. @returns how many webhooks were changed */
  async run(signal?: AbortSignal): Promise<number> {
    let changed = 0;
    for (let after: Id = '0'; ;) {
      const page = await systemEm(this.orm).find(
        Webhook,
        { id: { $gt: after } },
        { orderBy: { id: 'asc' }, limit: AT_ONCE, disableIdentityMap: true, ...ACROSS_TENANTS },
      );
      for (const webhook of page) changed += await this.reseal(webhook);
      if (page.length < AT_ONCE || signal?.aborted === true) return changed;
      after = page.at(-1)?.id ?? after;
    }
  }

  /** Unless the secret was rotated meanwhile, which the version tells. */
  private async reseal(webhook: Webhook): Promise<number> {
    const again = this.secrets.resealed(webhook);
    if (again === null) return 0;
    const { tenantId, id, version } = webhook;
    return tenantEm(this.orm, tenantId).nativeUpdate(Webhook, { id, version }, again);
  }
}
