import { systemEm } from '../platform/database/orm.js';
import { ACROSS_TENANTS } from '../platform/database/tenant-filter.js';
import type { Id } from '../platform/ids.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { activeKeyId } from '../platform/sealed-secrets.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import { Webhook } from './webhook.entity.js';

const AT_ONCE = 500;

/** Moves stored secrets to the active pepper, so that a previous one can be taken out of the configuration. */
export class WebhookSecretResealing {
  constructor(
    private readonly its: Pick<PlatformServices, 'orm' | 'transactions'>,
    private readonly secrets: WebhookSecrets,
  ) {}

  /** All tenants; safe to run at once in several workers. @returns how many webhooks were changed */
  async run(signal?: AbortSignal): Promise<number> {
    const em = systemEm(this.its.orm);
    const keyId = await activeKeyId(em);
    let changed = 0;
    for (let after: Id = '0'; ;) {
      const page = await em.find(
        Webhook,
        { id: { $gt: after } },
        { orderBy: { id: 'asc' }, limit: AT_ONCE, disableIdentityMap: true, ...ACROSS_TENANTS },
      );
      for (const webhook of page)
        if (this.secrets.resealed(webhook, keyId) !== null) changed += await this.reseal(webhook);
      if (page.length < AT_ONCE || signal?.aborted === true) return changed;
      after = page.at(-1)?.id ?? after;
    }
  }

  /** Unless the secret was rotated meanwhile, which the version tells. */
  private async reseal(webhook: Webhook): Promise<number> {
    const { tenantId, id, version } = webhook;
    return this.its.transactions.run(tenantId, async (em) => {
      const again = this.secrets.resealed(webhook, await activeKeyId(em));
      return again === null ? 0 : em.nativeUpdate(Webhook, { id, version }, again);
    });
  }
}
