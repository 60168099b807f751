import type { MikroORM } from '@mikro-orm/core';
import type { CodeRecognizer } from '../../codes/code-recognizer.service.js';
import type { UserService } from '../../identity/users/user.service.js';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm } from '../../platform/database/orm.js';
import { isId, type Id } from '../../platform/ids.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import { RefusedAttempt } from './refused-attempt.entity.js';

/** What is missing or null matches everything. */
export interface RefusedAttemptWish {
  readonly userId?: Id | null | undefined;
  readonly externalUserId?: string | null | undefined;
  /** As the customer typed it. */
  readonly code?: string | null | undefined;
  readonly refusal?: RedeemRefusal | null | undefined;
}

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
    };
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
