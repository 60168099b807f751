import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { answer } from '../graphql/payload.js';
import type { ProductLineService } from './product-line.service.js';
import {
  CreateProductLineInput,
  CreateProductLinePayloadType,
  ProductLineType,
  UpdateProductLineInput,
  UpdateProductLinePayloadType,
} from './product-line.types.js';

@Resolver(() => ProductLineType)
export class ProductLineResolver {
  constructor(private readonly productLines: ProductLineService) {}

  @Mutation(() => CreateProductLinePayloadType, {
    description: 'Makes a product line. For OWNER and OPERATOR.',
  })
  async createProductLine(
    @Arg('input', () => CreateProductLineInput) input: CreateProductLineInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ productLine: await this.productLines.create(tenantId, input) }));
  }

  @Mutation(() => UpdateProductLinePayloadType, {
    description:
      'Changes name, limits, status, with effect on every process within a second. For OWNER and OPERATOR.',
  })
  async updateProductLine(
    @Arg('input', () => UpdateProductLineInput) { code, ...changes }: UpdateProductLineInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ productLine: await this.productLines.update(tenantId, code, changes) }));
  }

  @Query(() => [ProductLineType], {
    name: 'productLines',
    description: "The tenant's product lines, by their codes. For staff.",
  })
  async list(@Ctx() context: RequestContext): Promise<ProductLineType[]> {
    return this.productLines.list(requireStaff(context).tenantId);
  }
}
