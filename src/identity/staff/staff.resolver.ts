import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import type { ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import type { StaffChangeService } from './staff-change.service.js';
import type { Staff } from './staff.entity.js';
import type { StaffService } from './staff.service.js';
import {
  InviteStaffInput,
  InviteStaffPayloadType,
  ResetStaffInput,
  ResetStaffPayloadType,
  StaffListArgs,
  StaffPageType,
  StaffType,
  UpdateStaffInput,
  UpdateStaffPayloadType,
} from './staff.types.js';

@Resolver(() => StaffType)
export class StaffResolver {
  constructor(
    private readonly staff: StaffService,
    private readonly changes: StaffChangeService,
  ) {}

  @Mutation(() => InviteStaffPayloadType, {
    description: 'Makes an account, or invites one again that has no password yet. For OWNER.',
  })
  async inviteStaff(
    @Arg('input', () => InviteStaffInput) input: InviteStaffInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => this.staff.invite(tenantId, { ...input }));
  }

  @Mutation(() => ResetStaffPayloadType, {
    description:
      'Removes password and second factor of an account, ends its sessions, and invites it again. For OWNER.',
  })
  async resetStaff(
    @Arg('input', () => ResetStaffInput) { staffId }: ResetStaffInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => this.staff.reset(tenantId, staffId));
  }

  @Mutation(() => UpdateStaffPayloadType, {
    description: 'Changes name, role and status of an account. For OWNER.',
  })
  async updateStaff(
    @Arg('input', () => UpdateStaffInput) { staffId, ...changes }: UpdateStaffInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { tenantId } = requireStaff(context);
    return answer(async () => ({ staff: await this.changes.update(tenantId, staffId, changes) }));
  }

  @FieldResolver(() => Boolean, { description: 'Whether a sign-in asks for a one-time code.' })
  hasSecondFactor(@Root() { totpSecret }: Staff): boolean {
    return totpSecret !== null && totpSecret !== undefined;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: 'Recovery codes that were not used yet; null without a second factor.',
  })
  recoveryCodesLeft(@Root() { totpSecret, recoveryDigests }: Staff): number | null {
    return totpSecret === null || totpSecret === undefined ? null : (recoveryDigests?.length ?? 0);
  }

  @Query(() => StaffPageType, {
    name: 'staff',
    description: 'The accounts of the tenant, newest first. For staff.',
  })
  async list(
    @Args(() => StaffListArgs) args: StaffListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<object>> {
    return this.staff.page(requireStaff(context).tenantId, args.filter ?? {}, rangeOf(args, info));
  }
}
