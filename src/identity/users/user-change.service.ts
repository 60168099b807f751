import { z } from 'zod';
import type { Clock } from '../../platform/clock.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { parseInput } from '../../platform/input.js';
import {
  changeRow,
  expectedVersion,
  givenFields,
  VERSION_REFUSALS,
} from '../../platform/database/change-row.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { AccessService } from '../access.service.js';
import type { IdentityPorts } from '../identity-ports.js';
import { User, USER_STATUSES } from './user.entity.js';
import { moveUserTags, tagsGivenAt } from './user-tags.js';
import { tagList } from './user.service.js';

export const UPDATE_USER_REFUSALS = [
  'TAGS_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'ONE_USER_REQUIRED',
  'USER_NOT_FOUND',
  'USER_ERASED',
  ...VERSION_REFUSALS,
] as const;
type UpdateUserRefusal = (typeof UPDATE_USER_REFUSALS)[number];

const updateUserInput = z.strictObject({
  userId: z.string().nullish(),
  externalUserId: z.string().nullish(),
  status: z.enum(USER_STATUSES).nullish(),
  tags: tagList.nullish(),
  expectedVersion,
});

/** Changes of users by staff: they take effect at once in this process, within a second in every other. */
export class UserChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly access: Pick<AccessService, 'changed'>,
    private readonly ports: Pick<IdentityPorts, 'userStatusChanged'>,
    private readonly clock: Clock,
  ) {}

  /** Changes status and tags of the user with one of the two ids. @throws DomainError one of {@link UPDATE_USER_REFUSALS} */
  async update(tenantId: string, input: unknown): Promise<User> {
    const wanted = parseInput<typeof updateUserInput, UpdateUserRefusal>(updateUserInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      tags: 'TAGS_NOT_ALLOWED',
    });
    const { userId, externalUserId, expectedVersion: expected, ...values } = wanted;
    const where = referenceOf(userId ?? null, externalUserId ?? null);
    const changed = await this.transactions.run(tenantId, async (em) => {
      const row = await changeRow(em, User, where, expected, (user) => {
        if (user.erasedAt)
          refuse('USER_ERASED', 'The data of the user were erased, for good.', idField(wanted));
        const tagsAt = values.tags ? tagsGivenAt(this.clock.nowMs(), user) : user.tagsAt;
        return { ...givenFields(values), tagsAt };
      });
      if (row !== null) await moveUserTags(em, row.after, row.before.tags, row.after.tags);
      if (row !== null && row.after.status !== row.before.status)
        await this.ports.userStatusChanged(em, tenantId, row.after.id);
      return row;
    });
    if (changed === null)
      return refuse('USER_NOT_FOUND', 'The tenant has no user with this id.', idField(wanted));
    this.access.changed({ tenantId, userId: changed.after.id });
    return changed.after;
  }
}

function referenceOf(userId: Id | null, externalId: string | null) {
  if ((userId === null) === (externalId === null)) {
    refuse('ONE_USER_REQUIRED', 'Name the user by userId or by externalUserId, not by both.', 'userId');
  }
  if (externalId !== null) return { externalId };
  if (userId === null || !isId(userId)) {
    return refuse('USER_NOT_FOUND', 'The tenant has no user with this id.', 'userId');
  }
  return { id: userId };
}

const idField = (wanted: { readonly userId?: string | null | undefined }): string =>
  wanted.userId === null || wanted.userId === undefined ? 'externalUserId' : 'userId';

function refuse(code: UpdateUserRefusal, message: string, field: string): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
