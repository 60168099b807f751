import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, Info, Query, Resolver, Root, Subscription } from 'type-graphql';
import { requireStaff, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { FROM_INSTANCE } from '../../graphql/instance-sources.js';
import { AFTER, ownEvents, type FeedItem } from '../../graphql/own-events.js';
import { ListArgs, type ListPageOf } from '../../graphql/page.js';
import { rangeOf } from '../../graphql/selects.js';
import { revokedFor, SESSION_REVOKED } from './device-events.js';
import type { DeviceReaderService } from './device-reader.service.js';
import { DeviceFilterInput, DevicePageType, DeviceType, SessionRevokedEvent } from './device.types.js';

@Resolver()
export class DeviceQueriesResolver {
  readonly sources: Readonly<Record<string, GraphQLFieldResolver<unknown, RequestContext>>>;

  constructor(private readonly reader: DeviceReaderService) {
    this.sources = {
      sessionRevoked: async (_root, args: { readonly after?: string | null }, context) => {
        const { actor } = context;
        const ownSessionId = actor?.kind === 'USER' ? (actor.sessionId ?? null) : null;
        const events = ownEvents({
          types: [SESSION_REVOKED],
          items: (event) => revokedFor(event, ownSessionId),
          list: 'myDevices',
        });
        return events({ args, context });
      },
    };
  }

  @Query(() => [DeviceType], { description: "The caller's bound devices, newest first, at most 500." })
  async myDevices(@Ctx() context: RequestContext): Promise<object[]> {
    const { tenantId, userId } = requireUser(context);
    return this.reader.mine(tenantId, userId);
  }

  @Query(() => DevicePageType, {
    name: 'devices',
    description: 'The devices of the tenant, newest first. For staff.',
  })
  async list(
    @Arg('filter', () => DeviceFilterInput, { nullable: true }) filter: DeviceFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<object>> {
    return this.reader.page(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  @Subscription(() => SessionRevokedEvent, {
    description:
      "The caller's session is about to end, or has ended: sign in again. Callers without a session of their own get those of all devices of the user, staff those of their tenant.",
    subscribe: FROM_INSTANCE,
  })
  sessionRevoked(@Root() item: FeedItem, @Arg('after', () => String, AFTER) _after?: string | null) {
    return item;
  }
}
