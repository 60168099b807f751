import { isSet } from '../platform/assert.js';
import type { Id } from '../platform/ids.js';
import type { SealedSecrets } from '../platform/sealed-secrets.js';
import type { Webhook } from './webhook.entity.js';

type Place = Pick<Webhook, 'tenantId' | 'id'>;

/** Secrets of webhooks, as they are stored: encrypted, and readable as those of one webhook alone. */
export class WebhookSecrets {
  constructor(private readonly sealed: SealedSecrets) {}

  seal(place: Place, secret: string): Buffer {
    return this.sealed.seal(purposeOf(place), secret);
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

  /** The same secrets under the present pepper; null where they are under it, or cannot be read. */
  resealed(webhook: Webhook): Partial<Pick<Webhook, 'secret' | 'previousSecret'>> | null {
    const { secret, previousSecret } = webhook;
    const again = { ...this.again('secret', webhook, secret) };
    if (isSet(previousSecret)) Object.assign(again, this.again('previousSecret', webhook, previousSecret));
    return Object.keys(again).length === 0 ? null : again;
  }

  private again(column: 'secret' | 'previousSecret', place: Place, stored: Uint8Array): object {
    const { presentPrefix } = this.sealed;
    if (presentPrefix.equals(Buffer.from(stored).subarray(0, presentPrefix.length))) return {};
    const secret = this.open(place, stored);
    return secret === null ? {} : { [column]: this.seal(place, secret) };
  }

  private open(place: Place, stored: Uint8Array): string | null {
    return this.sealed.open(purposeOf(place), stored);
  }
}

function purposeOf({ tenantId, id }: { readonly tenantId: string; readonly id: Id }): string {
  return `webhook\0${tenantId}\0${id}`;
}
