import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { ListArgs, type ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import type { ApiKeyService } from './api-key.service.js';
import type { PartnerService } from './partner.service.js';
import {
  ApiKeyType,
  CreateApiKeyInput,
  CreateApiKeyPayloadType,
  CreatePartnerInput,
  CreatePartnerPayloadType,
  PartnerFilterInput,
  PartnerOperationsType,
  PartnerPageType,
  PartnerType,
  RegisterOperationsInput,
  RegisterOperationsPayloadType,
  RevokeApiKeyInput,
  RevokeApiKeyPayloadType,
  UpdatePartnerInput,
  UpdatePartnerPayloadType,
} from './partner.types.js';
import type { RegisteredOperationsService } from './registered-operations.service.js';

@Resolver(() => PartnerType)
export class PartnerResolver {
  constructor(
    private readonly partners: PartnerService,
    private readonly keys: ApiKeyService,
    private readonly registered: RegisteredOperationsService,
  ) {}

  @Mutation(() => CreatePartnerPayloadType, { description: 'Makes a partner. For OWNER and OPERATOR.' })
  async createPartner(
    @Arg('input', () => CreatePartnerInput) input: CreatePartnerInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ partner: await this.partners.create(tenantId, { ...input }) }));
  }

  @Mutation(() => UpdatePartnerPayloadType, {
    description:
      'Changes name and status, with effect on every process within a second. Disabling ends the sockets of the partner and of the users that it has signed in. For OWNER and OPERATOR.',
  })
  async updatePartner(
    @Arg('input', () => UpdatePartnerInput) { partnerId, ...changes }: UpdatePartnerInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ partner: await this.partners.update(tenantId, partnerId, changes) }));
  }

  @Mutation(() => CreateApiKeyPayloadType, {
    description: "Makes a key for a partner's server, and shows it this once. For OWNER and OPERATOR.",
  })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput) input: CreateApiKeyInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, staffId } = requireStaff(context);
    return answer(async () => this.keys.create(tenantId, staffId, { ...input }));
  }

  @Mutation(() => RevokeApiKeyPayloadType, {
    description:
      'Ends a key, its sockets and the user tokens that it has made, on every process within a second. For OWNER and OPERATOR.',
  })
  async revokeApiKey(
    @Arg('input', () => RevokeApiKeyInput) { keyId, keepsUserTokens }: RevokeApiKeyInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({
      apiKey: await this.keys.revoke(tenantId, keyId, keepsUserTokens ?? false),
    }));
  }

  @Mutation(() => RegisterOperationsPayloadType, {
    description:
      "Replaces the operations that a partner's server may run: all of them, or none if one cannot run here. For OWNER and OPERATOR.",
  })
  async registerOperations(
    @Arg('input', () => RegisterOperationsInput) input: RegisterOperationsInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId, staffId } = requireStaff(context);
    return answer(async () => ({
      operations: await this.registered.register(tenantId, staffId, { ...input }),
    }));
  }

  @Query(() => PartnerType, nullable('A partner of the tenant. For staff.'))
  async partner(
    @Arg('id', () => ID) id: string,
    @Ctx() context: RequestContext,
  ): Promise<PartnerType | null> {
    return this.partners.find(requireStaff(context).tenantId, id);
  }

  @Query(() => PartnerPageType, {
    name: 'partners',
    description: 'The partners of the tenant, newest first. For staff.',
  })
  async list(
    @Arg('filter', () => PartnerFilterInput, { nullable: true }) filter: PartnerFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<PartnerType>> {
    return this.partners.page(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  @FieldResolver(() => [ApiKeyType], { description: 'Newest first, revoked ones too.' })
  async apiKeys(@Root() { id }: PartnerType, @Ctx() context: RequestContext): Promise<ApiKeyType[]> {
    return this.partners.keysOf(requireStaff(context).tenantId, id);
  }

  @FieldResolver(() => PartnerOperationsType, nullable('Null where nothing is registered.'))
  async operations(
    @Root() { id }: PartnerType,
    @Ctx() context: RequestContext,
  ): Promise<PartnerOperationsType | null> {
    return this.partners.operationsOf(requireStaff(context).tenantId, id);
  }
}
