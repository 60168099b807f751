import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { CodeEndings } from '../../codes/code-endings.service.js';
import { requireToken } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { nullable } from '../../graphql/nullable.js';
import { RedemptionType } from '../redemption.types.js';

/** What lists of redemptions show of a code, which is a secret. */
@Resolver(() => RedemptionType)
export class RedemptionCodeResolver {
  constructor(private readonly endings: CodeEndings) {}

  @FieldResolver(() => String, nullable('The last four characters of the code, without hyphens.'))
  async codeLastFour(
    @Root() { codeId }: RedemptionType,
    @Ctx() context: RequestContext,
  ): Promise<string | null> {
    return this.endings.of(requireToken(context).tenantId, codeId);
  }
}
