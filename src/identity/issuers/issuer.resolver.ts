import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { answer } from '../../graphql/payload.js';
import type { IssuerService } from './issuer.service.js';
import {
  SetUserTokenIssuerInput,
  SetUserTokenIssuerPayloadType,
  UserTokenIssuerType,
} from './issuer.types.js';

@Resolver(() => UserTokenIssuerType)
export class IssuerResolver {
  constructor(private readonly issuers: IssuerService) {}

  @Mutation(() => SetUserTokenIssuerPayloadType, {
    description:
      "Says which server of the tenant's own signs users in, with effect on every process within a second. For OWNER.",
  })
  async setUserTokenIssuer(
    @Arg('input', () => SetUserTokenIssuerInput) input: SetUserTokenIssuerInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ issuer: await this.issuers.set(tenantId, { ...input }) }));
  }

  @Query(
    () => UserTokenIssuerType,
    nullable("The tenant's own issuer of user tokens, if it has one. For staff."),
  )
  async userTokenIssuer(@Ctx() context: RequestContext): Promise<UserTokenIssuerType | null> {
    return this.issuers.find(requireStaff(context).tenantId);
  }
}
