import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { RequestContext } from '../graphql/context.js';
import { nullable } from '../graphql/nullable.js';
import type { ExternalUserIds } from '../identity/identity.module.js';
import type { Id } from '../platform/ids.js';
import { TransferType } from './money.types.js';

const NAME = (side: string): string =>
  `The ${side}'s id in the tenant's own system. For staff; null for users, and if the database does not answer within 250 ms.`;

/** What the tenant's own system calls both sides of a transfer. */
@Resolver(() => TransferType)
export class TransferUsersResolver {
  constructor(private readonly externalUserIds: ExternalUserIds) {}

  @FieldResolver(() => String, nullable(NAME('sender')))
  async fromExternalUserId(
    @Root() { fromUserId }: TransferType,
    @Ctx() context: RequestContext,
  ): Promise<string | null> {
    return this.shown(context, fromUserId);
  }

  @FieldResolver(() => String, nullable(NAME('recipient')))
  async toExternalUserId(
    @Root() { toUserId }: TransferType,
    @Ctx() context: RequestContext,
  ): Promise<string | null> {
    return this.shown(context, toUserId);
  }

  /** Users do not learn what the tenant calls others. */
  private async shown({ actor }: RequestContext, userId: Id): Promise<string | null> {
    return actor?.kind === 'STAFF' ? this.externalUserIds.of(actor.tenantId, userId) : null;
  }
}
