import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { answer } from '../../graphql/payload.js';
import type { UserErasureService } from './user-erasure.service.js';
import { EraseUserInput, EraseUserPayloadType } from './user-erasure.types.js';

@Resolver()
export class UserErasureResolver {
  constructor(private readonly erasures: UserErasureService) {}

  @Mutation(() => EraseUserPayloadType, {
    description:
      'Erases the personal data of a user for good, and signs the user out everywhere. Balances, orders and redemptions stay under an id without a person. For OWNER.',
  })
  async eraseUser(
    @Arg('input', () => EraseUserInput) input: EraseUserInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ erasedAt: await this.erasures.erase(tenantId, input) }));
  }
}
