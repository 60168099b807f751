import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, Info, Mutation, Query, Resolver } from 'type-graphql';
import { requireActor, requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { ListArgs, type ListPageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import { rangeOf } from '../graphql/selects.js';
import type { CurrencyService } from './currency.service.js';
import {
  CreateCurrencyInput,
  CreateCurrencyPayloadType,
  CreateFacilityInput,
  CreateFacilityPayloadType,
  CurrencyType,
  FacilityPageType,
  UpdateCurrencyInput,
  UpdateCurrencyPayloadType,
  UpdateFacilityInput,
  UpdateFacilityPayloadType,
  type FacilityType,
} from './currency.types.js';
import type { FacilityService } from './facility.service.js';

@Resolver()
export class CurrencyResolver {
  constructor(
    private readonly currencies: CurrencyService,
    private readonly facilities: FacilityService,
  ) {}

  @Mutation(() => CreateCurrencyPayloadType, { description: 'Creates a currency. For OWNER and OPERATOR.' })
  async createCurrency(
    @Arg('input', () => CreateCurrencyInput) input: CreateCurrencyInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ currency: await this.currencies.create(tenantId, input) }));
  }

  @Mutation(() => UpdateCurrencyPayloadType, {
    description: 'Changes a currency; affects later transfers only. For OWNER and OPERATOR.',
  })
  async updateCurrency(
    @Arg('input', () => UpdateCurrencyInput) { code, ...changes }: UpdateCurrencyInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ currency: await this.currencies.update(tenantId, code, changes) }));
  }

  @Mutation(() => CreateFacilityPayloadType, { description: 'Creates a facility. For OWNER and OPERATOR.' })
  async createFacility(
    @Arg('input', () => CreateFacilityInput) input: CreateFacilityInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ facility: await this.facilities.create(tenantId, input) }));
  }

  @Mutation(() => UpdateFacilityPayloadType, { description: 'Changes a facility. For OWNER and OPERATOR.' })
  async updateFacility(
    @Arg('input', () => UpdateFacilityInput) { facilityId, ...changes }: UpdateFacilityInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ facility: await this.facilities.update(tenantId, facilityId, changes) }));
  }

  @Query(() => [CurrencyType], {
    name: 'currencies',
    description: 'The currencies of the tenant, by their codes. Users see those that are enabled.',
  })
  async listCurrencies(@Ctx() context: RequestContext): Promise<CurrencyType[]> {
    const { tenantId, kind } = requireActor(context);
    return this.currencies.list(tenantId, kind === 'USER');
  }

  @Query(() => FacilityPageType, {
    name: 'facilities',
    description: 'The facilities of the tenant. Users see those that are enabled.',
  })
  async listFacilities(
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<FacilityType>> {
    const { tenantId, kind } = requireActor(context);
    return this.facilities.list(tenantId, rangeOf(page, info), kind === 'USER');
  }
}
