import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { ListArgs } from '../../graphql/page.js';
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
  ) {
    return this.reader.page(requireStaff(context).tenantId, filter ?? {}, page);
  }
}
