import type { MikroORM } from '@mikro-orm/core';
import type { CodeRecognizer } from '../../codes/code-recognizer.service.js';
import type { UserService } from '../../identity/users/user.service.js';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm } from '../../platform/database/orm.js';
import { filterBound } from '../../platform/database/sql-values.js';
import { firstIdAt, isId, type Id } from '../../platform/ids.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import { RefusedAttempt } from './refused-attempt.entity.js';

/** What is missing or null matches everything. */
export interface RefusedAttemptWish {
  readonly userId?: Id | null | undefined;
  readonly externalUserId?: string | null | undefined;
  /** As the customer typed it. */
  readonly code?: string | null | undefined;
  readonly refusal?: RedeemRefusal | null | undefined;
  /** Half-open. */
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
}

/** An id is made with its row; the clocks of two processes are no further apart. */
const SKEW_MS = 60_000;

/** Finds refused attempts for staff. */
export class RefusedAttemptReader {
  constructor(
    private readonly orm: MikroORM,
    private readonly users: Pick<UserService, 'find'>,
    private readonly recognizer: Pick<CodeRecognizer, 'canonicalize' | 'digests'>,
  ) {}

  /** Newest first. */
  async page(tenantId: string, wish: RefusedAttemptWish, range: PageRange): Promise<Page<RefusedAttempt>> {
    const userId = await this.userOf(tenantId, wish);
    const digests = this.digestsOf(tenantId, wish.code);
    if (userId === null || digests === null) return EMPTY_PAGE;
    const where = {
      ...(userId !== undefined && { userId }),
      ...(digests !== undefined && { codeDigest: { $in: digests } }),
      ...(wish.refusal && { refusal: wish.refusal }),
      ...timesOf(wish),
    };
    return findPage(tenantEm(this.orm, tenantId), RefusedAttempt, where, range);
  }

  /** Those of a code, the newest first. */
  async ofCode(tenantId: string, digests: readonly string[], size: number): Promise<Page<RefusedAttempt>> {
    const where = { codeDigest: { $in: [...digests] } };
    const range = { offset: 0, size, isCounted: false };
    return findPage(tenantEm(this.orm, tenantId), RefusedAttempt, where, range);
  }

  /** @returns undefined for any user, null where there is no such user */
  private async userOf(
    tenantId: string,
    { userId, externalUserId }: RefusedAttemptWish,
  ): Promise<Id | null | undefined> {
    if (userId && !isId(userId)) return null;
    if (!externalUserId) return userId ?? undefined;
    const user = await this.users.find(tenantId, { externalId: externalUserId });
    return user === null || (userId && userId !== user.id) ? null : user.id;
  }

  /** @returns undefined for any code, null for what cannot be one */
  private digestsOf(tenantId: string, code: string | null | undefined): string[] | null | undefined {
    if (code === null || code === undefined) return undefined;
    const canonical = this.recognizer.canonicalize(code);
    return canonical === null ? null : this.recognizer.digests(tenantId, canonical);
  }
}

/** By the ids as well: every index of attempts ends with them. */
function timesOf(wish: RefusedAttemptWish) {
  const [from, before] = [filterBound(wish.from), filterBound(wish.before)];
  if (from === null && before === null) return {};
  return {
    id: {
      ...(from !== null && { $gte: firstIdAt(from.getTime() - SKEW_MS) }),
      ...(before !== null && { $lt: firstIdAt(before.getTime() + SKEW_MS) }),
    },
    refusedAt: { ...(from !== null && { $gte: from }), ...(before !== null && { $lt: before }) },
  };
}
