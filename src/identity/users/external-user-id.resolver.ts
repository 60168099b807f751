import { Ctx, FieldResolver, Resolver, Root, type ClassType } from 'type-graphql';
import { requireToken } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import type { Id } from '../../platform/ids.js';
import type { ExternalUserIds } from './external-user-ids.js';

/** A resolver that adds to the `userId` of a type the user's id in the tenant's own system. */
export function externalUserIdOf(type: ClassType<{ userId: Id }>) {
  @Resolver(() => type)
  class ExternalUserIdResolver {
    constructor(private readonly externalUserIds: ExternalUserIds) {}

    @FieldResolver(() => String, {
      nullable: true,
      description:
        "The user's id in the tenant's own system; null if the database does not answer within 250 ms.",
    })
    async externalUserId(
      @Root() { userId }: { readonly userId: Id },
      @Ctx() context: RequestContext,
    ): Promise<string | null> {
      return this.externalUserIds.of(requireToken(context).tenantId, userId);
    }
  }
  return ExternalUserIdResolver;
}
