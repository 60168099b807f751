import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff, requireStaffOrPartner } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { nullable } from '../graphql/nullable.js';
import { SortedListArgs, type ListPageOf } from '../graphql/page.js';
import { answer } from '../graphql/payload.js';
import { rangeOf } from '../graphql/selects.js';
import type { CodeChangeService } from './code-change.service.js';
import { shownStatus, type ShownCodeStatus } from './code-filter.js';
import type { CodeReader } from './code-reader.service.js';
import type { Code } from './code.entity.js';
import type { EffectiveStatus } from './effective-status.js';
import {
  CodeFilterInput,
  CodePageType,
  CodeStatusEnum,
  CodeType,
  DeleteCodesInput,
  DeleteCodesPayloadType,
  EffectiveStatusEnum,
  SetCodeEnabledInput,
  SetCodeEnabledPayloadType,
  UpdateCodeInput,
  UpdateCodePayloadType,
} from './code.types.js';

@Resolver(() => CodeType)
export class CodeResolver {
  constructor(
    private readonly changes: CodeChangeService,
    private readonly reader: CodeReader,
  ) {}

  @Mutation(() => SetCodeEnabledPayloadType, {
    description: 'Switches a code off or on. For OWNER and OPERATOR.',
  })
  async setCodeEnabled(
    @Arg('input', () => SetCodeEnabledInput) { codeId, enabled }: SetCodeEnabledInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ code: await this.changes.setEnabled(tenantId, codeId, enabled) }));
  }

  @Mutation(() => UpdateCodePayloadType, {
    description:
      "Changes a code's use limit, end and assigned user; its text never changes. For OWNER and OPERATOR.",
  })
  async updateCode(
    @Arg('input', () => UpdateCodeInput) { codeId, ...changes }: UpdateCodeInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ code: await this.changes.update(tenantId, codeId, changes) }));
  }

  @Mutation(() => DeleteCodesPayloadType, {
    description: 'Deletes codes; this cannot be undone. For OWNER and OPERATOR.',
  })
  async deleteCodes(
    @Arg('input', () => DeleteCodesInput) { codeIds }: DeleteCodesInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ deleted: await this.changes.delete(tenantId, codeIds) }));
  }

  @Query(
    () => CodeType,
    nullable('A code of the tenant. For staff, and API keys with the scope `codes:read`.'),
  )
  async code(@Arg('id', () => ID) id: string, @Ctx() context: RequestContext): Promise<CodeType | null> {
    return this.reader.code(requireStaffOrPartner(context).tenantId, id);
  }

  @Query(() => CodePageType, {
    description: 'The codes of the tenant. For staff, and API keys with the scope `codes:read`.',
  })
  async codes(
    @Arg('filter', () => CodeFilterInput, { nullable: true }) filter: CodeFilterInput | null,
    @Args(() => SortedListArgs) page: SortedListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<CodeType>> {
    return this.reader.page(requireStaffOrPartner(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  @FieldResolver(() => CodeStatusEnum)
  status(@Root() code: Code): ShownCodeStatus {
    return shownStatus(code);
  }

  @FieldResolver(() => EffectiveStatusEnum)
  async effectiveStatus(@Root() code: Code): Promise<EffectiveStatus> {
    return this.reader.effectiveStatus(code);
  }
}
