import { LockMode } from '@mikro-orm/core';
import { z } from 'zod';
import { PARTNER_SCOPES, type PartnerScope } from '../../graphql/actor.js';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { instant, keyText, nameText, parseInput } from '../../platform/input.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { ProductLineService } from '../../tenancy/product-line.service.js';
import { apiKeyDigest, newApiKey } from './api-key-text.js';
import { ApiKey } from './api-key.entity.js';
import { Partner } from './partner.entity.js';
import type { CreateApiKeyRefusal, RevokeApiKeyRefusal } from './partner.errors.js';
import { partnerNotFound } from './partner.service.js';

/** Usable keys of a partner; a rotation needs two. */
const USABLE_MAX = 20;
const PRODUCT_CODES_MAX = 100;

/** Scopes whose operations name product lines. A key limited to product lines has no other scopes, because their operations could not be limited. */
const SCOPES_BY_PRODUCT: ReadonlySet<PartnerScope> = new Set(['redeem', 'redemptions:read']);

const sortedSet = <T extends string>(values: readonly T[]): T[] => [...new Set(values)].toSorted();

const createApiKeyInput = z.strictObject({
  partnerId: z.string(),
  name: nameText(64),
  scopes: z.array(z.enum(PARTNER_SCOPES)).min(1, 'must hold at least one scope').max(20).transform(sortedSet),
  productCodes: z
    .array(keyText(16))
    .min(1, 'must hold at least one code, or be left out')
    .max(PRODUCT_CODES_MAX, `must hold at most ${PRODUCT_CODES_MAX} codes`)
    .transform(sortedSet)
    .nullish()
    .transform((codes) => codes ?? null),
  expiresAt: instant.nullish().transform((at) => at ?? null),
});
type CreateApiKey = z.output<typeof createApiKeyInput>;

export interface MadeApiKey {
  readonly apiKey: ApiKey;
  /** Shown here and never again. */
  readonly key: string;
}

interface Collaborators extends Pick<PlatformServices, 'ids' | 'clock' | 'transactions'> {
  readonly lines: Pick<ProductLineService, 'missing'>;
  /** After the commit of a change of the keys. */
  readonly changed: (tenantId: string, keyIds: readonly Id[]) => void;
}

/** Keys of partners' servers. */
export class ApiKeyService {
  constructor(private readonly its: Collaborators) {}

  /** @throws DomainError with a code of `CREATE_API_KEY_REFUSALS` */
  async create(tenantId: string, createdBy: string, input: unknown): Promise<MadeApiKey> {
    const now = new Date(this.its.clock.nowMs());
    const wanted = checkedKey(input, now);
    if (!isId(wanted.partnerId)) throw partnerNotFound();
    const missing = await this.its.lines.missing(tenantId, wanted.productCodes ?? []);
    const id = this.its.ids.next();
    const key = newApiKey();
    const apiKey = await this.its.transactions.run(tenantId, async (em) => {
      await requirePartner(em, wanted.partnerId);
      if (missing.length > 0) refuseLine(missing);
      await requirePlace(em, wanted.partnerId, now);
      const row = em.create(
        ApiKey,
        {
          ...wanted,
          tenantId,
          id,
          digest: apiKeyDigest(key),
          lastFour: key.slice(-4),
          createdAt: now,
          createdBy,
        },
        { persist: false },
      );
      await em.insert(row);
      return row;
    });
    return { apiKey, key };
  }

  /**
   * Ends a key within a second on every process, and with it the user tokens that it made, unless `keepsUserTokens`.
   * A second call may still end those tokens; it changes nothing else.
   * @throws DomainError with a code of `REVOKE_API_KEY_REFUSALS`
   */
  async revoke(tenantId: string, keyId: Id, keepsUserTokens = false): Promise<ApiKey> {
    if (!isId(keyId)) throw keyNotFound();
    const where = { id: keyId };
    const revoked = await this.its.transactions.run(tenantId, async (em) => {
      const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
      const row = await em.findOne(ApiKey, where, lock);
      if (row === null) throw keyNotFound();
      const keeps = keepsUserTokens && (row.revokedAt === null || row.keepsUserTokens);
      const revokedAt = row.revokedAt ?? new Date(this.its.clock.nowMs());
      await em.nativeUpdate(ApiKey, where, { revokedAt, keepsUserTokens: keeps });
      return Object.assign(row, { revokedAt, keepsUserTokens: keeps });
    });
    this.its.changed(tenantId, [keyId]);
    return revoked;
  }
}

/** @throws DomainError with a code of `CREATE_API_KEY_REFUSALS` */
function checkedKey(input: unknown, now: Date): CreateApiKey {
  const wanted = parseInput<typeof createApiKeyInput, CreateApiKeyRefusal>(createApiKeyInput, input, {
    input: 'INPUT_NOT_ALLOWED',
    name: 'KEY_NAME_NOT_ALLOWED',
    scopes: 'SCOPES_NOT_ALLOWED',
    productCodes: 'PRODUCT_CODES_NOT_ALLOWED',
    expiresAt: 'EXPIRY_NOT_ALLOWED',
  });
  const unbound = wanted.scopes.filter((scope) => !SCOPES_BY_PRODUCT.has(scope));
  if (wanted.productCodes !== null && unbound.length > 0)
    refuse(
      'SCOPES_NOT_ALLOWED',
      `The operations of ${unbound.join(', ')} name no product line, so a key with productCodes cannot have the scope. Make another key for it.`,
      'scopes',
    );
  if (wanted.expiresAt !== null && wanted.expiresAt <= now)
    refuse('EXPIRY_NOT_ALLOWED', 'expiresAt must lie in the future.', 'expiresAt');
  return wanted;
}

/** Locked, so that two keys of one partner are made one after the other. */
async function requirePartner(em: Em, id: Id): Promise<void> {
  const options = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
  if ((await em.findOne(Partner, { id }, options)) === null) throw partnerNotFound();
}

async function requirePlace(em: Em, partnerId: Id, now: Date): Promise<void> {
  const usable = { partnerId, revokedAt: null, $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] };
  if ((await em.count(ApiKey, usable)) < USABLE_MAX) return;
  refuse(
    'API_KEY_LIMIT_REACHED',
    `The partner has ${USABLE_MAX} keys in use. Revoke one first.`,
    'partnerId',
  );
}

function refuseLine(missing: readonly string[]): never {
  const message = `The tenant has no product line ${missing.join(', ')}.`;
  return refuse('PRODUCT_LINE_NOT_FOUND', message, 'productCodes');
}

function refuse(code: CreateApiKeyRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}

function keyNotFound(): DomainError {
  const code: RevokeApiKeyRefusal = 'API_KEY_NOT_FOUND';
  return new DomainError(code, 'The tenant has no API key with this id.', { field: ['input', 'keyId'] });
}
