import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../graphql/auth.js';
import type { RequestContext } from '../graphql/context.js';
import { ListArgs, type ListPageOf } from '../graphql/page.js';
import { nullable } from '../graphql/nullable.js';
import { JsonObjectScalar } from '../graphql/scalars.js';
import { rangeOf } from '../graphql/selects.js';
import { detailsOf } from './audit-details.js';
import type { AuditEntry } from './audit-entry.entity.js';
import type { AuditService } from './audit.service.js';
import { AuditChangeType, AuditEntryType, AuditFilterInput, AuditPageType } from './audit.types.js';

@Resolver()
export class AuditResolver {
  constructor(private readonly service: AuditService) {}

  @Query(() => AuditPageType, {
    description:
      'What staff, partners and the command line have changed, newest first. For OWNER and AUDITOR.',
  })
  async auditLog(
    @Arg('filter', () => AuditFilterInput, { nullable: true }) filter: AuditFilterInput | null,
    @Args(() => ListArgs) page: ListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<AuditEntry>> {
    return this.service.page(requireStaff(context).tenantId, filter ?? {}, rangeOf(page, info));
  }

  @Query(() => AuditEntryType, nullable('One entry of the audit log. For OWNER and AUDITOR.'))
  async auditEntry(
    @Arg('id', () => ID) id: string,
    @Ctx() context: RequestContext,
  ): Promise<AuditEntry | null> {
    return this.service.find(requireStaff(context).tenantId, id);
  }
}

@Resolver(() => AuditEntryType)
export class AuditEntryResolver {
  @FieldResolver(
    () => JsonObjectScalar,
    nullable('The arguments of the operation, without secrets; null where they are too long.'),
  )
  input(@Root() entry: AuditEntry): object | null {
    const { input } = detailsOf(entry);
    return typeof input === 'object' ? input : null;
  }

  @FieldResolver(() => [AuditChangeType], {
    description: 'Rows with their values before and after; of a bulk change some of them.',
  })
  changes(@Root() entry: AuditEntry): AuditChangeType[] {
    return detailsOf(entry).changes.map(({ id: rowId, ...change }) => ({ rowId, ...change }));
  }

  @FieldResolver(() => JsonObjectScalar, { description: 'How many rows were written, by table.' })
  rows(@Root() entry: AuditEntry): Readonly<Record<string, number>> {
    return detailsOf(entry).rows;
  }
}
