import type { MikroORM } from '@mikro-orm/core';
import { LRUCache } from 'lru-cache';
import type { AccessRefusal, PartnerActor } from '../../graphql/actor.js';
import { atMost } from '../../platform/cache-size.js';
import { ACROSS_TENANTS } from '../../platform/database/tenant-filter.js';
import { systemEm } from '../../platform/database/orm.js';
import { gathered } from '../../platform/scheduling/gathered.js';
import { within } from '../../platform/scheduling/timeout.js';
import type { AccessService } from '../access.service.js';
import { ApiKey } from './api-key.entity.js';
import { apiKeyDigest, isApiKey } from './api-key-text.js';
import type { KeyUses } from './key-uses.js';
import type { OperationSet, OperationSets } from './operation-sets.js';

export type { AskedOperation, OperationSet } from './operation-sets.js';

const KEYS_MAX = 10_000;
/** An unknown key stays unknown, because a key cannot be guessed before it is made. After a restored backup keys are known again within this time. */
const UNKNOWN_TTL_MS = 60_000;
const BATCH_MAX = 500;
const BEARER = /^bearer +(rk_[^ ]*) *$/i;

/** What an API key proves at this moment. */
export interface KeyProof {
  readonly actor: PartnerActor;
  /** Why the caller may do nothing; null where it may. */
  readonly refusal: AccessRefusal | null;
  /** Infinity for a key without an end. */
  readonly expiresMs: number;
  /** The only ones that are executed for the caller. */
  readonly operations: OperationSet;
}

interface Collaborators {
  readonly orm: MikroORM;
  readonly timeoutMs: number;
  readonly access: Pick<AccessService, 'refusalOf' | 'keyState'>;
  readonly operations: OperationSets;
  readonly uses: KeyUses;
}

/**
 * Finds the partner of an API key. The immutable part of a key is cached without an end; its state is read again as
 * often as the status of a tenant. The caches are bounded, and none is in Redis.
 */
export class PartnerAccess {
  private readonly actors = new LRUCache<string, PartnerActor>(atMost(KEYS_MAX));
  private readonly unknown = new LRUCache<string, true>({ ...atMost(KEYS_MAX), ttl: UNKNOWN_TTL_MS });
  private readonly reads;

  constructor(private readonly its: Collaborators) {
    this.reads = gathered(async (digests: readonly string[]) => this.read(digests), BATCH_MAX);
  }

  /** The API key in an `authorization` header; null for anything else, such as a token. */
  keyIn(authorization: string | undefined): string | null {
    return authorization === undefined ? null : (BEARER.exec(authorization)?.[1] ?? null);
  }

  /**
   * @returns null for an unknown key; a wrong check sum costs no read
   * @throws StoreUnavailableError when the database does not answer and the key was not known before
   */
  async prove(key: string): Promise<KeyProof | null> {
    const actor = isApiKey(key) ? await this.actorOf(apiKeyDigest(key)) : null;
    if (actor === null) return null;
    const { tenantId, keyId, partnerId } = actor;
    const refusal = await this.its.access.refusalOf(actor);
    const state = await this.its.access.keyState(tenantId, keyId);
    const version = refusal === null ? (state?.operationsVersion ?? 0) : 0;
    const operations = await this.its.operations.of(tenantId, partnerId, version);
    if (refusal === null) this.its.uses.note(tenantId, keyId);
    return { actor, refusal, expiresMs: state?.expiresMs ?? Infinity, operations };
  }

  /**
   * The operations that a caller with a good key may run at this moment; counts as no use of the key.
   * @throws StoreUnavailableError
   */
  async operationsOf({ tenantId, keyId, partnerId }: PartnerActor): Promise<OperationSet> {
    const state = await this.its.access.keyState(tenantId, keyId);
    return this.its.operations.of(tenantId, partnerId, state?.operationsVersion ?? 0);
  }

  private async actorOf(digest: string): Promise<PartnerActor | null> {
    const known = this.actors.get(digest);
    if (known !== undefined) return known;
    if (this.unknown.has(digest)) return null;
    const actor = await within(this.its.timeoutMs, 'database', this.reads.load(digest));
    if (actor === null) this.unknown.set(digest, true);
    else this.actors.set(digest, actor);
    return actor;
  }

  /** Concurrent lookups, as in a flood of guesses, are read in one query. */
  private async read(digests: readonly string[]): Promise<(PartnerActor | null)[]> {
    const rows = await systemEm(this.its.orm).find(
      ApiKey,
      { digest: { $in: [...digests] } },
      { ...ACROSS_TENANTS, populate: ['digest'], disableIdentityMap: true },
    );
    const actors = new Map(rows.map((row) => [row.digest, actorOf(row)]));
    return digests.map((digest) => actors.get(digest) ?? null);
  }
}

function actorOf({ tenantId, partnerId, id, scopes, productCodes }: ApiKey): PartnerActor {
  return { kind: 'PARTNER', tenantId, partnerId, keyId: id, scopes, productCodes: productCodes ?? null };
}
