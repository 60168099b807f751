import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { answer } from '../graphql/payload.js';
import type { UserService } from './user.service.js';
import { CreateUserTokenInput, CreateUserTokenPayloadType } from './user.types.js';

@Resolver()
export class UserResolver {
  constructor(private readonly users: UserService) {}

  @Mutation(() => CreateUserTokenPayloadType, {
    description:
      'Signs a user of the tenant in, and makes who comes for the first time. For OWNER and OPERATOR.',
  })
  async createUserToken(
    @Arg('input', () => CreateUserTokenInput) input: CreateUserTokenInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context, 'OWNER', 'OPERATOR');
    return answer(async () => this.users.createUserToken(tenantId, input));
  }
}
