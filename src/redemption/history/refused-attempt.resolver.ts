import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { ListArgs } from '../../graphql/page.js';
import { rangeOf } from '../../graphql/selects.js';
import { RefusedAttemptFilter, RefusedAttemptPageType } from './refused-attempt.types.js';
import type { RefusedAttemptReader } from './refused-attempts.reader.js';

@Resolver()
export class RefusedAttemptResolver {
  constructor(private readonly reader: RefusedAttemptReader) {}

  @Query(() => RefusedAttemptPageType, {
    description:
      'Why codes were refused: attempts of the last ATTEMPT_LOG_DAYS, newest first, some seconds after their answers. Under a flood a sample. For staff.',
  })
  async attempts(
    @Ctx() context: RequestContext,
    @Args(() => ListArgs) page: ListArgs,
    @Arg('filter', () => RefusedAttemptFilter, { nullable: true }) filter: RefusedAttemptFilter | null,
    @Info() info: GraphQLResolveInfo,
  ) {
    return this.reader.page(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }
}
