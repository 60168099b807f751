import { Arg, Args, Ctx, Extensions, Mutation, Query, Resolver } from 'type-graphql';
import { OPEN_IN_OUTAGE } from '../../graphql/field-marks.js';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { PageArgs, type PageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import type { DeadLetterService } from './dead-letters.service.js';
import {
  DeadLetterPageType,
  RedriveDeadLettersInput,
  RedriveDeadLettersPayloadType,
  type DeadLetterType,
} from './dead-letter.types.js';
import { TenantEventLetterPageType, type TenantEventLetterType } from './tenant-event-letter.types.js';

@Resolver(() => DeadLetterPageType)
export class DeadLetterResolver {
  constructor(private readonly service: DeadLetterService) {}

  @Extensions(OPEN_IN_OUTAGE)
  @Query(() => DeadLetterPageType, {
    description:
      'Redemptions that were answered PROCESSING and never settled, the latest first; for staff. Only the latest 10,000 of an installation are searched.',
  })
  async deadLetters(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() context: RequestContext,
  ): Promise<PageOf<DeadLetterType>> {
    return this.service.page(requireStaff(context).tenantId, page);
  }

  @Query(() => TenantEventLetterPageType, {
    description:
      "Events of the tenant directory that were given up, the latest first; for a PLATFORM tenant's staff, empty for others.",
  })
  async tenantEventLetters(
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() context: RequestContext,
  ): Promise<PageOf<TenantEventLetterType>> {
    return this.service.tenantEvents(requireStaff(context).tenantId, page);
  }

  @Extensions(OPEN_IN_OUTAGE)
  @Mutation(() => RedriveDeadLettersPayloadType, {
    description: 'Retries one dead letter, or all, with fresh attempts. For OWNER and OPERATOR.',
  })
  async redriveDeadLetters(
    @Arg('input', () => RedriveDeadLettersInput) input: RedriveDeadLettersInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ redriven: await this.service.redrive(tenantId, input) }));
  }
}
