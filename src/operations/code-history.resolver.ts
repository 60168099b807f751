import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { nullable } from '../graphql/nullable.js';
import type { CodeHistoryService } from './code-history.service.js';
import { CodeHistoryEntryType, CodeHistoryType } from './code-history.types.js';

interface UserNames {
  of(tenantId: string, userId: string): Promise<string | null>;
}

@Resolver(() => CodeHistoryEntryType)
export class CodeHistoryResolver {
  constructor(
    private readonly service: CodeHistoryService,
    private readonly externalUserIds: UserNames,
  ) {}

  @Query(
    () => CodeHistoryType,
    nullable(
      'Issue, allocation, changes, redemptions, reversals and refusals of a code, also of one that was deleted, with its open claims. For staff.',
    ),
  )
  async codeHistory(
    @Arg('codeId', () => ID) codeId: string,
    @Ctx() context: RequestContext,
  ): Promise<object | null> {
    return this.service.of(requireStaff(context).tenantId, codeId);
  }

  @FieldResolver(() => String, nullable("The user's id in the tenant's own system."))
  async externalUserId(
    @Root() { userId }: CodeHistoryEntryType,
    @Ctx() context: RequestContext,
  ): Promise<string | null> {
    if (userId === null) return null;
    return this.externalUserIds.of(requireStaff(context).tenantId, userId);
  }
}
