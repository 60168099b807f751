import { LockMode, type EntityData, type FilterQuery } from '@mikro-orm/core';
import { changeRow } from '../platform/database/change-row.js';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { isSet } from '../platform/assert.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { activeKeyId } from '../platform/sealed-secrets.js';
import { Tenant } from '../tenancy/tenant.entity.js';
import { lastSeqOf } from './last-seq.js';
import { checkWebhook, checkWebhookChange, type UrlCheck, type WebhookChange } from './webhook-input.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import { newWebhookSecret } from './webhook-signature.js';
import { Webhook, WebhookDelivery, type DeliveryStatus, type WebhookStatus } from './webhook.entity.js';
import { webhookNotFound, type WebhookRefusal } from './webhook.errors.js';

const WEBHOOKS_MAX = 20;
const HOUR_MS = 3_600_000;

export interface WebhookFilter {
  readonly status?: WebhookStatus | null;
}

export interface DeliveryFilter {
  readonly webhookId?: Id | null;
  readonly status?: DeliveryStatus | null;
}

/** A webhook, with its secret where it was made just now. */
export interface WebhookWithSecret {
  readonly webhook: Webhook;
  readonly secret: string | null;
}

interface WebhookParts extends Pick<PlatformServices, 'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions'> {
  readonly outgoing: UrlCheck;
  readonly secrets: WebhookSecrets;
}

/** Where a tenant's events are sent. */
export class WebhookService {
  constructor(private readonly its: WebhookParts) {}

  /** Events from now on are sent to it. @throws DomainError one of {@link CREATE_WEBHOOK_REFUSALS} */
  async create(tenantId: string, input: unknown): Promise<WebhookWithSecret> {
    const wanted = checkWebhook(this.its.outgoing, input);
    const secret = newWebhookSecret();
    const id = this.its.ids.next();
    const now = new Date(this.its.clock.nowMs());
    return this.its.transactions.run(tenantId, async (em) => {
      await requirePlace(em, tenantId);
      const row = {
        ...wanted,
        tenantId,
        id,
        ...NOT_DISABLED,
        secret: this.its.secrets.seal({ tenantId, id }, secret, await activeKeyId(em)),
        previousSecret: null,
        previousSecretUntil: null,
        afterSeq: await lastSeqOf(em, tenantId),
        replayAfterSeq: null,
        replayUpToSeq: null,
        version: 1,
        createdAt: now,
        updatedAt: now,
      };
      const webhook = em.create(Webhook, row, { persist: false });
      await em.insert(webhook);
      return { webhook, secret };
    });
  }

  /** @throws DomainError one of {@link UPDATE_WEBHOOK_REFUSALS} */
  async update(tenantId: string, webhookId: Id, input: object): Promise<WebhookWithSecret> {
    const change = checkWebhookChange(this.its.outgoing, input);
    if (!isId(webhookId)) throw webhookNotFound();
    const secret = change.rotateSecret === true ? newWebhookSecret() : null;
    const updatedAt = new Date(this.its.clock.nowMs());
    return this.its.transactions.run(tenantId, async (em) => {
      // Before the row's lock, and right all the same: events after this number are at least those after the commit.
      const afterSeq = await lastSeqOf(em, tenantId);
      const keyId = await activeKeyId(em);
      const changed = await changeRow(em, Webhook, { id: webhookId }, change.expectedVersion, (row) => ({
        updatedAt,
        ...(change.url !== undefined && { url: change.url }),
        ...(change.eventTypes !== undefined && { eventTypes: change.eventTypes }),
        ...healthAfter(row, change, afterSeq),
        ...(secret !== null && this.rotated(row, { secret, keyId }, change.previousSecretHours)),
      }));
      if (changed === null) throw webhookNotFound();
      return { webhook: changed.after, secret };
    });
  }

  /** Its deliveries stay in the list until they are old. @throws DomainError WEBHOOK_NOT_FOUND */
  async delete(tenantId: string, webhookId: Id): Promise<Id> {
    if (!isId(webhookId)) throw webhookNotFound();
    const deleted = await this.its.transactions.run(tenantId, async (em) =>
      em.nativeDelete(Webhook, { id: webhookId }),
    );
    if (deleted === 0) throw webhookNotFound();
    return webhookId;
  }

  /** Newest first, with the exact total. */
  async list(tenantId: string, { status }: WebhookFilter, page: PageRange): Promise<Page<Webhook>> {
    const where = status === null || status === undefined ? {} : { status };
    return findPage(tenantEm(this.its.readOrm, tenantId), Webhook, where, page);
  }

  /** Newest first, with the exact total. */
  async deliveries(
    tenantId: string,
    { webhookId, status }: DeliveryFilter,
    page: PageRange,
  ): Promise<Page<WebhookDelivery>> {
    if (isSet(webhookId) && !isId(webhookId)) return EMPTY_PAGE;
    const where: FilterQuery<WebhookDelivery> = {
      ...(isSet(webhookId) && { webhookId }),
      ...(isSet(status) && { status }),
    };
    const named = [isSet(webhookId) ? 'webhook' : '', isSet(status) ? 'status' : ''].filter(Boolean);
    // The server may prefer to walk over all deliveries in the order of the list.
    const hint = { indexHint: `force index (ix_webhook_delivery__${named.join('_')})` };
    const em = tenantEm(this.its.readOrm, tenantId);
    return findPage(em, WebhookDelivery, where, page, named.length === 0 ? {} : hint);
  }

  private rotated(
    row: Webhook,
    { secret, keyId }: { readonly secret: string; readonly keyId: number },
    previousHours: number,
  ): EntityData<Webhook> {
    const until = new Date(this.its.clock.nowMs() + previousHours * HOUR_MS);
    const isKept = previousHours > 0;
    return {
      secret: this.its.secrets.seal(row, secret, keyId),
      previousSecret: isKept ? row.secret : null,
      previousSecretUntil: isKept ? until : null,
    };
  }
}

const NOT_DISABLED = { status: 'ENABLED', disabledReason: null, failingSince: null } as const;

/** A webhook that is enabled again, or has another URL, has not failed yet; what happened meanwhile can be replayed. */
function healthAfter(row: Webhook, { enabled, url }: WebhookChange, afterSeq: number): EntityData<Webhook> {
  const isMoved = url !== undefined && url !== row.url ? { failingSince: null } : {};
  if (enabled === undefined || enabled === (row.status === 'ENABLED')) return isMoved;
  if (enabled) return { ...NOT_DISABLED, afterSeq };
  return { ...isMoved, status: 'DISABLED', disabledReason: null, replayAfterSeq: null, replayUpToSeq: null };
}

/** Under the lock of the tenant's row: of two that are made at once, the second counts the first. */
async function requirePlace(em: Em, tenantId: string): Promise<void> {
  await em.findOne(
    Tenant,
    { id: tenantId },
    { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true },
  );
  if ((await em.count(Webhook, {})) < WEBHOOKS_MAX) return;
  const code: WebhookRefusal = 'WEBHOOK_LIMIT_REACHED';
  throw new DomainError(code, `The tenant has ${WEBHOOKS_MAX} webhooks. Delete one first.`);
}
