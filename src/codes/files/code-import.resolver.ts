import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { idempotencyKeyOf } from '../../graphql/idempotency-key.js';
import { nullable } from '../../graphql/nullable.js';
import { ListArgs, type ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import type { CodeImport, CodeImportRefusal } from './code-import.entity.js';
import type { CodeImportJobs } from './code-import.jobs.js';
import type { CodeImportService } from './code-import.service.js';
import {
  CodeImportType,
  ImportCodesInput,
  ImportCodesPayloadType,
  RefusedImportLinePageType,
} from './code-import.types.js';

@Resolver(() => CodeImportType)
export class CodeImportResolver {
  constructor(
    private readonly imports: CodeImportService,
    private readonly jobs: CodeImportJobs,
  ) {}

  @Mutation(() => ImportCodesPayloadType, {
    description:
      'Begins an import of codes into a campaign, or lets one continue that has stopped. For OWNER and OPERATOR.',
  })
  async importCodes(
    @Arg('input', () => ImportCodesInput) input: ImportCodesInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => {
      const idempotencyKey = idempotencyKeyOf(context, input);
      const begun = await this.imports.begin(tenantId, { ...input, idempotencyKey });
      return { codeImport: await this.jobs.resume(begun) };
    });
  }

  @Query(() => CodeImportType, nullable('An import of the tenant. For staff.'))
  async codeImport(
    @Arg('id', () => ID) id: string,
    @Ctx() context: RequestContext,
  ): Promise<CodeImportType | null> {
    return this.imports.find(requireStaff(context).tenantId, id);
  }

  @FieldResolver(() => RefusedImportLinePageType, {
    description: 'The lines that were refused, in the order of the file.',
  })
  async refusedLines(
    @Root() root: CodeImport,
    @Args(() => ListArgs) { offset, size, afterId }: ListArgs,
  ): Promise<ListPageOf<CodeImportRefusal>> {
    return this.imports.refusedLines(root, { offset, size, afterId });
  }
}
