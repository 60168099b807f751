import type { MikroORM, RequiredEntityData } from '@mikro-orm/core';
import { z } from 'zod';
import { present } from '../../platform/assert.js';
import type { Clock } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id, type IdGenerator } from '../../platform/ids.js';
import { countNumber, keyText, nameText, parseInput } from '../../platform/input.js';
import type { Page, PageRange } from '../../platform/database/find-page.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { queryTogether } from '../../platform/database/execute-together.js';
import { isDuplicateKey } from '../../platform/database/sql-errors.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { currentOperation } from '../../platform/recording/current-operation.js';
import { operationIsAbout } from '../../platform/recording/recording-em.js';
import { TOKEN_TTL_MAX_S } from '../token-life.js';
import type { TokenService } from '../token.service.js';
import { ownUserIdText } from './device-users.js';
import { User, type UserStatus } from './user.entity.js';
import { findUsers, type UserFilter } from './user-list.js';
import { areSameTags, moveUserTags, replaceTags, tagsGivenAt, type GivenTags } from './user-tags.js';

export const CREATE_USER_TOKEN_REFUSALS = [
  'EXTERNAL_USER_ID_NOT_ALLOWED',
  'TAGS_NOT_ALLOWED',
  'PRODUCT_CODE_NOT_ALLOWED',
  'TTL_OUT_OF_RANGE',
  'TAGS_DIFFER',
  'USER_DISABLED',
] as const;
type CreateUserTokenRefusal = (typeof CREATE_USER_TOKEN_REFUSALS)[number];

const TTL_S_MAX = TOKEN_TTL_MAX_S.BY_PROGRAM;
const TAGS_MAX = 64;

/** Facts that reward conditions read: each once, in order. */
export const tagList = z
  .array(nameText(64))
  .max(TAGS_MAX, `must hold at most ${TAGS_MAX} tags`)
  .transform((tags) => [...new Set(tags)].toSorted());
const createUserTokenInput = z.object({
  externalUserId: ownUserIdText,
  tags: tagList.nullable().default(null),
  productCode: keyText(16).nullish(),
  ttlS: countNumber(1, TTL_S_MAX)
    .nullish()
    .transform((ttlS) => ttlS ?? TTL_S_MAX),
});

/** Where the tags of a sign-in come from. */
interface TagsOrigin {
  /** Whether they replace those of an existing user. */
  readonly mayRetag?: boolean;
  /** Of the token that names them; missing for what a caller says now. */
  readonly issuedAt?: Date;
}

/** The API key that asks for a user's token. */
interface AskingKey {
  readonly keyId: Id;
  readonly productCodes: readonly string[] | null;
}

export interface IssuedUserToken {
  readonly token: string;
  readonly userId: Id;
  readonly expiresAt: Date;
}

/** The facts of a user that reward conditions and the claim read. */
export interface UserFacts {
  readonly status: UserStatus;
  readonly tags: readonly string[];
}

/** One user: by the internal id, or by the id of the tenant's own system. */
export type UserReference =
  | { readonly id: Id; readonly externalId?: undefined }
  | { readonly externalId: string; readonly id?: undefined };

/** Users of a tenant, known by the id that the tenant's own system gave them. */
export class UserService {
  /** @param listOrm where lists are read, which may take long */
  constructor(
    private readonly orm: MikroORM,
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
    private readonly tokens: Pick<TokenService, 'sign'>,
    private readonly transactions: Transactions,
    private readonly listOrm: MikroORM = orm,
  ) {}

  /**
   * Signs a user of the tenant in, and makes the row of a new user: it must exist before the first redemption. Given tags
   * replace the former ones, except by a key that is limited to product lines, because tags count at all lines.
   *
   * @throws DomainError one of {@link CREATE_USER_TOKEN_REFUSALS}
   */
  async createUserToken(
    tenantId: string,
    input: unknown,
    by: AskingKey | null = null,
  ): Promise<IssuedUserToken> {
    const codes = {
      input: 'EXTERNAL_USER_ID_NOT_ALLOWED',
      tags: 'TAGS_NOT_ALLOWED',
      productCode: 'PRODUCT_CODE_NOT_ALLOWED',
      ttlS: 'TTL_OUT_OF_RANGE',
    } as const;
    const { externalUserId, tags, productCode, ttlS } = parseInput<
      typeof createUserTokenInput,
      CreateUserTokenRefusal
    >(createUserTokenInput, input, codes);
    const limits = limitsOf(productCode ?? null, by);
    const mayRetag = (by?.productCodes ?? null) === null;
    const wanted = [tenantId, externalUserId, tags ?? undefined] as const;
    const user =
      currentOperation() === null
        ? await this.ensureUser(...wanted, { mayRetag })
        : await this.recordedUser(...wanted);
    assertActive(user);
    return {
      token: this.tokens.sign({ kind: 'USER', tenantId, userId: user.id, ...limits }, ttlS),
      userId: user.id,
      expiresAt: new Date(this.clock.nowMs() + ttlS * 1000),
    };
  }

  /**
   * The user with this foreign id, made if there is none. The unique key makes one, however many calls there are at once.
   * @throws DomainError TAGS_DIFFER
   */
  async ensureUser(
    tenantId: string,
    externalId: string,
    tags?: readonly string[],
    { mayRetag = true, issuedAt }: TagsOrigin = {},
  ): Promise<User> {
    const given = tags && this.givenTags(tags, issuedAt);
    // Looked for first: a duplicate in a transaction would lock the row against those who change the user.
    const existing =
      (await this.find(tenantId, { externalId })) ?? (await this.insert(tenantId, externalId, given));
    if (given === undefined) return existing;
    const isSame = areSameTags(given.tags, existing.tags);
    if (!isSame && !mayRetag) throw tagsDiffer();
    // A new user, or a token that another process has met: nothing is left to write.
    const isWritten = isSame && existing.tagsAt?.getTime() === given.at.getTime();
    if (isWritten || !mayRetag) return existing;
    await this.transactions.run(tenantId, async (em) => replaceTags(em, existing.id, given));
    // By the id that stays: the user may have been erased meanwhile.
    return present(await this.find(tenantId, { id: existing.id }), 'A user who was found');
  }

  /** The same for a recorded operation: the row, and that a token is made for it, by one transaction. */
  private async recordedUser(tenantId: string, externalId: string, tags?: readonly string[]): Promise<User> {
    const given = tags && this.givenTags(tags);
    // Of two at once one meets the other's row, and runs again.
    return this.transactions.runForCaller(tenantId, async (em) => {
      const options = { disableIdentityMap: true } as const;
      const row = await em.findOne(User, { externalId }, options);
      const id = row?.id ?? (await insertUser(em, this.newUser(tenantId, externalId, given)));
      if (row !== null) assertActive(row);
      if (row !== null && given !== undefined) await replaceTags(em, id, given);
      // By the id that stays: the user may have been erased meanwhile.
      const user = present(await em.findOne(User, { id }, options), 'The user of a token');
      assertActive(user);
      operationIsAbout(em, { type: 'user', id: user.id });
      return user;
    });
  }

  private givenTags(tags: readonly string[], issuedAt?: Date): GivenTags {
    return { tags, at: issuedAt ?? tagsGivenAt(this.clock.nowMs()), isOfToken: issuedAt !== undefined };
  }

  private newUser(tenantId: string, externalId: string, given?: GivenTags) {
    return {
      tenantId,
      id: this.ids.next(),
      externalId,
      status: 'ACTIVE' as const,
      tags: [...(given?.tags ?? [])],
      tagsAt: given?.at ?? null,
      version: 1,
      createdAt: new Date(this.clock.nowMs()),
      erasedAt: null,
    };
  }

  private async insert(tenantId: string, externalId: string, given?: GivenTags): Promise<User> {
    const user = this.newUser(tenantId, externalId, given);
    try {
      const em = tenantEm(this.orm, tenantId);
      if (user.tags.length === 0) await em.insert(User, user);
      else await this.transactions.run(tenantId, async (inner) => insertUser(inner, user));
      return em.create(User, user, { persist: false });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return this.known(tenantId, externalId);
    }
  }

  private async known(tenantId: string, externalId: string): Promise<User> {
    return present(await this.find(tenantId, { externalId }), 'The user that the unique key speaks of');
  }

  /** By the internal id, or by the one of the tenant's own system. */
  async find(tenantId: string, { id, externalId }: UserReference): Promise<User | null> {
    if (id !== undefined && !isId(id)) return null;
    const where = id === undefined ? { externalId } : { id };
    return tenantEm(this.orm, tenantId).findOne(User, where, { disableIdentityMap: true });
  }

  /** With the exact total. */
  async page(tenantId: string, filter: UserFilter, page: PageRange): Promise<Page<User>> {
    return findUsers(tenantEm(this.listOrm, tenantId), tenantId, filter, page);
  }

  /** A short read before a claim, for campaigns that have conditions; together with others of this entity manager. */
  async factsOf(em: Em, tenantId: string, userIds: readonly Id[]): Promise<ReadonlyMap<Id, UserFacts>> {
    const rows = await queryTogether<UserFacts & { readonly id: Id }>(em, FACTS, [tenantId, userIds]);
    return new Map(rows.map(({ id, status, tags }) => [id, { status, tags: tagsIn(tags) }]));
  }
}

const FACTS = `select cast(id as char) as id, status, tags from user force index (primary)
  where tenant_id = ? and id in (?)`;

/** MySQL's driver reads JSON, MariaDB's gives the text. */
function tagsIn(stored: unknown): readonly string[] {
  return (typeof stored === 'string' ? JSON.parse(stored) : stored) as readonly string[];
}

/** @throws DomainError USER_DISABLED */
function assertActive({ status }: User): void {
  if (status === 'ACTIVE') return;
  const code: CreateUserTokenRefusal = 'USER_DISABLED';
  throw new DomainError(code, 'The user is DISABLED.', { field: ['input', 'externalUserId'] });
}

function tagsDiffer(): DomainError {
  const code: CreateUserTokenRefusal = 'TAGS_DIFFER';
  const message =
    'The user has other tags, and a key that is limited to product lines does not change them. Leave the tags out.';
  return new DomainError(code, message, { field: ['input', 'tags'] });
}

async function insertUser(
  em: Em,
  user: RequiredEntityData<User> & Pick<User, 'id' | 'tenantId' | 'tags'>,
): Promise<Id> {
  await em.insert(User, user);
  await moveUserTags(em, user, [], user.tags);
  return user.id;
}

/** The limits of a token. A key that is limited to product lines signs users in at one of them. */
function limitsOf(
  wanted: string | null,
  by: AskingKey | null,
): { readonly keyId?: Id; readonly productCode?: string } {
  const own = by?.productCodes ?? null;
  const productCode = wanted ?? (own?.length === 1 ? (own[0] ?? null) : null);
  if (own !== null && (productCode === null || !own.includes(productCode))) {
    const code: CreateUserTokenRefusal = 'PRODUCT_CODE_NOT_ALLOWED';
    const message = `Give one of the product lines of the API key: ${own.join(', ')}.`;
    throw new DomainError(code, message, { field: ['input', 'productCode'] });
  }
  return { ...(by !== null && { keyId: by.keyId }), ...(productCode !== null && { productCode }) };
}
