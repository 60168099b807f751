import { isIP } from 'node:net';
import { GraphQLError } from 'graphql';
import { Arg, Args, Ctx, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { forbidden, requireActor, requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { FROM_INSTANCE, type HasSources } from '../graphql/instance-sources.js';
import { answer } from '../graphql/payload.js';
import { isId } from '../platform/ids.js';
import { VISIBLE_ASCII } from '../platform/input.js';
import type { RateLimitChangeService } from './rate-limit-change.service.js';
import type { AttemptCaller } from './rate-limit.service.js';
import type { LimitsInForce, RateLimitListService } from './rate-limit-list.service.js';
import type { RateLimitReport, RateLimitUsageService, UsageWish } from './rate-limit-usage.service.js';
import {
  RateLimitInForceType,
  RateLimitReportType,
  RateLimitUsageArgs,
  SetRateLimitInput,
  SetRateLimitPayloadType,
} from './rate-limit.types.js';
import { usageChanges } from './usage-changes.js';

@Resolver()
export class RateLimitResolver implements HasSources {
  readonly sources: HasSources['sources'] = {
    rateLimitUsageChanged: (_root, args, context) => {
      const { tenantId } = requireActor(context);
      return usageChanges(this.usage, tenantId, wishOf(context, args as RateLimitUsageArgs));
    },
  };

  constructor(
    private readonly usage: RateLimitUsageService,
    private readonly changes: RateLimitChangeService,
    private readonly settings: RateLimitListService,
  ) {}

  @Query(() => RateLimitReportType, {
    description: "What is left of the caller's own limits; for staff, of product lines and of any caller.",
  })
  async rateLimitUsage(
    @Ctx() context: RequestContext,
    @Args(() => RateLimitUsageArgs) args: RateLimitUsageArgs,
  ): Promise<RateLimitReport> {
    return this.usage.report(requireActor(context).tenantId, wishOf(context, args));
  }

  @Query(() => [RateLimitInForceType], {
    description: 'The limits of each product line and of each kind of caller at it. For staff.',
  })
  async rateLimits(@Ctx() context: RequestContext): Promise<LimitsInForce[]> {
    return this.settings.list(requireStaff(context).tenantId);
  }

  @Mutation(() => SetRateLimitPayloadType, {
    description:
      'Sets the limits of a product line, or those of single callers at it; every process goes by them at once. For OWNER and OPERATOR.',
  })
  async setRateLimit(
    @Arg('input', () => SetRateLimitInput) input: SetRateLimitInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ rateLimit: await this.changes.set(tenantId, input) }));
  }

  @Subscription(() => RateLimitReportType, {
    description:
      'The same as `rateLimitUsage`, at once and within about a second of each change. It tells of the present, so it takes no cursor.',
    subscribe: FROM_INSTANCE,
  })
  rateLimitUsageChanged(
    @Root() report: RateLimitReport,
    @Args(() => RateLimitUsageArgs) _args: RateLimitUsageArgs,
  ): RateLimitReport {
    return report;
  }
}

/** @throws GraphQLError FORBIDDEN or BAD_USER_INPUT */
function wishOf(context: RequestContext, args: RateLimitUsageArgs): UsageWish {
  const { productCode = null, userId = null, deviceId = null, ip = null } = args;
  const actor = requireActor(context);
  if (actor.kind === 'STAFF') return { productCode, caller: named({ userId, deviceId, ip }), isOwn: false };
  if (deviceId !== null || ip !== null || (userId ?? actor.userId) !== actor.userId)
    throw forbidden("Only a tenant's staff may see the limits of others; leave userId, deviceId and ip out.");
  return { productCode, caller: { userId: actor.userId }, isOwn: true };
}

/** @throws GraphQLError BAD_USER_INPUT for what cannot name a caller */
function named(caller: Required<AttemptCaller>): AttemptCaller {
  const { userId, deviceId, ip } = caller;
  if (userId !== null && !isId(userId)) throw notNamed('userId', 'is no id of a user');
  if (deviceId !== null && !VISIBLE_ASCII.test(deviceId)) throw notNamed('deviceId', 'is no device id');
  if (ip !== null && isIP(ip) === 0) throw notNamed('ip', 'is no IP address');
  return caller;
}

function notNamed(name: string, fault: string): GraphQLError {
  return new GraphQLError(`The argument ${name} ${fault}.`, { extensions: { code: 'BAD_USER_INPUT' } });
}
