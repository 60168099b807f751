import { isSet } from '../platform/assert.js';
import type { Id } from '../platform/ids.js';
import type { SealedSecrets } from '../platform/sealed-secrets.js';
import type { Webhook } from './webhook.entity.js';

type Place = Pick<Webhook, 'tenantId' | 'id'>;

/** Secrets of webhooks, as they are stored: encrypted, and readable as those of one webhook alone. */
export class WebhookSecrets {
  constructor(private readonly sealed: SealedSecrets) {}

  /** @param keyId of the active pepper */
  seal(place: Place, secret: string, keyId: number): Buffer {
    return this.sealed.seal(purposeOf(place), secret, keyId);
  }

  /** The secrets that sign at an instant, the present one first; null where the present one cannot be read. */
  valid(webhook: Webhook, nowMs: number): string[] | null {
    const present = this.open(webhook, webhook.secret);
    if (present === null) return null;
    const { previousSecret, previousSecretUntil } = webhook;
    const isOver = !isSet(previousSecretUntil) || previousSecretUntil.getTime() <= nowMs;
    const previous = isOver || !isSet(previousSecret) ? null : this.open(webhook, previousSecret);
    return previous === null ? [present] : [present, previous];
  }

  /** The same secrets under the active pepper; null where they are under it, or cannot be read. */
  resealed(webhook: Webhook, keyId: number): Partial<Pick<Webhook, 'secret' | 'previousSecret'>> | null {
    const secret = this.again(webhook, webhook.secret, keyId);
    const previousSecret = this.again(webhook, webhook.previousSecret, keyId);
    if (secret === null && previousSecret === null) return null;
    return { ...(secret !== null && { secret }), ...(previousSecret !== null && { previousSecret }) };
  }

  private again(place: Place, stored: Uint8Array | null | undefined, keyId: number): Buffer | null {
    if (!isSet(stored) || this.sealed.isUnder(keyId, stored)) return null;
    const secret = this.open(place, stored);
    return secret === null ? null : this.seal(place, secret, keyId);
  }

  private open(place: Place, stored: Uint8Array): string | null {
    return this.sealed.open(purposeOf(place), stored);
  }
}

function purposeOf({ tenantId, id }: { readonly tenantId: string; readonly id: Id }): string {
  return `webhook\0${tenantId}\0${id}`;
}
