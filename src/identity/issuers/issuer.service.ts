import type { MikroORM } from '@mikro-orm/core';
import { z } from 'zod';
import { changeRow, expectedVersion } from '../../platform/database/change-row.js';
import { tenantEm, systemEm } from '../../platform/database/orm.js';
import { isDuplicateKey } from '../../platform/database/sql-errors.js';
import { ACROSS_TENANTS } from '../../platform/database/tenant-filter.js';
import { DomainError } from '../../platform/errors.js';
import { orElse, parseInput, visibleText } from '../../platform/input.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { ReadCache } from '../../platform/read-cache.js';
import { within } from '../../platform/scheduling/timeout.js';
import { STATUS_TTL_MS } from '../access.service.js';
import type { SetUserTokenIssuerRefusal } from './issuer.errors.js';
import { UserTokenIssuer } from './user-token-issuer.entity.js';

const issuerInput = z.strictObject({
  issuer: visibleText(255),
  audience: visibleText(255),
  jwksUrl: visibleText(1024).refine((url) => URL.canParse(url), 'is not a URL'),
  tagsClaim: visibleText(64)
    .nullish()
    .transform((claim) => claim ?? null),
  enabled: orElse(z.boolean(), true),
  expectedVersion,
});
type IssuerValues = Omit<z.output<typeof issuerInput>, 'expectedVersion'>;

interface Collaborators extends Pick<PlatformServices, 'orm' | 'clock' | 'transactions'> {
  readonly timeoutMs: number;
  /** Hosts of which keys are fetched; none switches the feature off. */
  readonly hosts: readonly string[];
}

type ByIssuer = ReadonlyMap<string, UserTokenIssuer>;

/** The issuer of a tenant's user tokens: a server of its own. */
export class IssuerService {
  private readonly enabled: ReadCache<ByIssuer>;

  constructor(private readonly its: Collaborators) {
    const read = async () => within(its.timeoutMs, 'database', readEnabled(its.orm));
    this.enabled = new ReadCache(read, { ttlMs: STATUS_TTL_MS, outlastsStore: true });
  }

  get isOn(): boolean {
    return this.its.hosts.length > 0;
  }

  /** @throws DomainError with a code of `SET_USER_TOKEN_ISSUER_REFUSALS` */
  async set(tenantId: string, input: unknown): Promise<UserTokenIssuer> {
    const { expectedVersion: expected, ...values } = parseInput<
      typeof issuerInput,
      SetUserTokenIssuerRefusal
    >(issuerInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      issuer: 'ISSUER_NOT_ALLOWED',
      audience: 'AUDIENCE_NOT_ALLOWED',
      jwksUrl: 'JWKS_URL_NOT_ALLOWED',
      tagsClaim: 'TAGS_CLAIM_NOT_ALLOWED',
    });
    this.requireHost(values.jwksUrl);
    const row = await this.stored(tenantId, values, expected);
    this.enabled.invalidate('', '');
    return row;
  }

  /** Its tokens are refused from now on, and another tenant may take its name. @throws DomainError ISSUER_NOT_FOUND */
  async remove(tenantId: string): Promise<UserTokenIssuer> {
    const removed = await this.its.transactions.run(tenantId, async (em) => {
      const row = await em.findOne(UserTokenIssuer, {}, { disableIdentityMap: true });
      return row !== null && (await em.nativeDelete(UserTokenIssuer, { tenantId })) === 1 ? row : null;
    });
    if (removed === null) throw issuerNotFound();
    this.enabled.invalidate('', '');
    return removed;
  }

  async find(tenantId: string): Promise<UserTokenIssuer | null> {
    return tenantEm(this.its.orm, tenantId).findOne(UserTokenIssuer, {}, { disableIdentityMap: true });
  }

  /** All are read at once, so a tenant without an issuer costs no read. At most a second old. */
  async byIssuer(issuer: string): Promise<UserTokenIssuer | null> {
    return (await this.enabled.find('', ''))?.get(issuer) ?? null;
  }

  /** @throws DomainError JWKS_HOST_NOT_ALLOWED */
  requireHost(url: string): void {
    if (this.its.hosts.includes(new URL(url).host)) return;
    refuse(
      'JWKS_HOST_NOT_ALLOWED',
      'Keys are not fetched from this host. The operator lists hosts in JWKS_HOSTS.',
      'jwksUrl',
    );
  }

  private async stored(
    tenantId: string,
    values: IssuerValues,
    expected: number | null | undefined,
  ): Promise<UserTokenIssuer> {
    try {
      return await this.its.transactions.runForCaller(tenantId, async (em) => {
        const changed = await changeRow(em, UserTokenIssuer, { tenantId }, expected, () => values);
        if (changed !== null) return changed.after;
        const createdAt = new Date(this.its.clock.nowMs());
        const row = em.create(
          UserTokenIssuer,
          { ...values, tenantId, version: 1, createdAt },
          { persist: false },
        );
        await em.insert(row);
        return row;
      });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return refuse('ISSUER_TAKEN', 'Another tenant of this installation has this issuer.', 'issuer');
    }
  }
}

export function issuerNotFound(): DomainError {
  return new DomainError('ISSUER_NOT_FOUND', 'The tenant has no issuer of user tokens.');
}

async function readEnabled(orm: MikroORM): Promise<ByIssuer> {
  const rows = await systemEm(orm).find(
    UserTokenIssuer,
    { enabled: true },
    { ...ACROSS_TENANTS, disableIdentityMap: true },
  );
  return new Map(rows.map((row) => [row.issuer, row]));
}

function refuse(code: SetUserTokenIssuerRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
