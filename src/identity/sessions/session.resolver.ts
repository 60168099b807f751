import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { forbidden, requireActor, requireStaff, requireUser } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import type { ListPageOf } from '../../graphql/page.js';
import { answer } from '../../graphql/payload.js';
import { rangeOf } from '../../graphql/selects.js';
import type { SessionListService } from './session-list.service.js';
import type { Session } from './session.entity.js';
import {
  EndSessionInput,
  EndSessionPayloadType,
  SessionListArgs,
  SessionPageType,
  SessionType,
  StaffSessionListArgs,
} from './session.types.js';

@Resolver(() => SessionType)
export class SessionResolver {
  constructor(private readonly sessions: SessionListService) {}

  @FieldResolver(() => ID, { nullable: true, description: 'The member of staff; null for a user.' })
  staffId(@Root() { kind, subjectId }: Session): string | null {
    return kind === 'STAFF' ? subjectId : null;
  }

  @FieldResolver(() => ID, { nullable: true, description: 'The user; null for staff.' })
  userId(@Root() { kind, subjectId }: Session): string | null {
    return kind === 'DEVICE' ? subjectId : null;
  }

  @FieldResolver(() => Boolean, { description: 'Whether the token of this call belongs to it.' })
  isCurrent(@Root() { id }: Session, @Ctx() { actor }: RequestContext): boolean {
    return actor !== null && 'sessionId' in actor && actor.sessionId === id;
  }

  @Query(() => SessionPageType, {
    description: "The open sessions of the user's devices, newest first. For users.",
  })
  async mySessions(
    @Args(() => SessionListArgs) args: SessionListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<object>> {
    const { tenantId, userId: subjectId } = requireUser(context);
    const wanted = { kind: 'DEVICE', subjectId, withEnded: args.ended === true } as const;
    return this.sessions.page(tenantId, wanted, rangeOf(args, info));
  }

  @Query(() => SessionPageType, {
    description:
      'The open sessions of a member of staff, newest first. For staff their own, for OWNER those of every account.',
  })
  async staffSessions(
    @Args(() => StaffSessionListArgs) args: StaffSessionListArgs,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ListPageOf<object>> {
    const { tenantId, staffId, role } = requireStaff(context);
    const subjectId = args.staffId ?? staffId;
    if (subjectId !== staffId && role !== 'OWNER')
      throw forbidden(`The role ${role} sees its own sessions only; those of others take OWNER.`);
    const wanted = { kind: 'STAFF', subjectId, withEnded: args.ended === true } as const;
    return this.sessions.page(tenantId, wanted, rangeOf(args, info));
  }

  @Mutation(() => EndSessionPayloadType, {
    description:
      "Ends a session at once: its tokens and its sockets, on every process. For users and staff their own, for OWNER those of the tenant's staff.",
  })
  async endSession(
    @Arg('input', () => EndSessionInput) { sessionId }: EndSessionInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const actor = requireActor(context);
    return answer(async () => ({ session: await this.sessions.end(actor, sessionId) }));
  }
}
