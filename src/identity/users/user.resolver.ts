import { GraphQLError, type GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, ID, Info, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff, requireStaffOrPartner } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { SortedListArgs, type ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import { IDS_MAX } from './user-list.js';
import type { UserChangeService } from './user-change.service.js';
import type { UserService } from './user.service.js';
import {
  CreateUserTokenInput,
  CreateUserTokenPayloadType,
  UpdateUserInput,
  UpdateUserPayloadType,
  UserFilterInput,
  UserPageType,
  UserType,
} from './user.types.js';

@Resolver(() => UserType)
export class UserResolver {
  constructor(
    private readonly users: UserService,
    private readonly changes: UserChangeService,
  ) {}

  @Mutation(() => CreateUserTokenPayloadType, {
    description:
      'Makes a token for a user of the tenant; a new user is created. For OWNER and OPERATOR, and API keys with the scope `redeem`.',
  })
  async createUserToken(
    @Arg('input', () => CreateUserTokenInput) input: CreateUserTokenInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const actor = requireStaffOrPartner(context);
    const by = actor.kind === 'PARTNER' ? actor : null;
    return answer(async () => this.users.createUserToken(actor.tenantId, input, by));
  }

  @Mutation(() => UpdateUserPayloadType, {
    description: 'Changes status and tags, with effect on the next redemption. For OWNER and OPERATOR.',
  })
  async updateUser(
    @Arg('input', () => UpdateUserInput) input: UpdateUserInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ user: await this.changes.update(tenantId, input) }));
  }

  @Query(() => UserType, nullable('A user of the tenant, by either id. For staff.'))
  async user(
    @Arg('id', () => ID, { nullable: true }) id: string | null,
    @Arg('externalUserId', () => String, { nullable: true }) externalId: string | null,
    @Ctx() context: RequestContext,
  ): Promise<UserType | null> {
    const { tenantId } = requireStaff(context);
    if (id) return this.users.find(tenantId, { id });
    return externalId ? this.users.find(tenantId, { externalId }) : null;
  }

  @Query(() => UserPageType, {
    name: 'users',
    description: 'The users of the tenant. For staff.',
  })
  async list(
    @Arg('filter', () => UserFilterInput, { nullable: true }) filter: UserFilterInput | null,
    @Args(() => SortedListArgs) page: SortedListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<UserType>> {
    if ((filter?.ids?.length ?? 0) > IDS_MAX) throw tooManyIds();
    return this.users.page(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }
}

function tooManyIds(): GraphQLError {
  return new GraphQLError(`Give at most ${IDS_MAX} ids.`, { extensions: { code: 'BAD_USER_INPUT' } });
}
