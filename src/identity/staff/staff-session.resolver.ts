import { Arg, Ctx, Extensions, Mutation, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { SIGNS_STAFF_IN } from '../../graphql/field-marks.js';
import { answer } from '../../graphql/payload.js';
import type { OidcSignInService } from './oidc-sign-in.service.js';
import type { StaffSignInService } from './staff-sign-in.service.js';
import type { StaffService } from './staff.service.js';
import {
  AcceptStaffInvitationInput,
  AcceptStaffInvitationPayloadType,
  BeginStaffOidcInput,
  BeginStaffOidcPayloadType,
  CompleteStaffOidcInput,
  CompleteStaffOidcPayloadType,
  RefreshStaffSessionInput,
  RefreshStaffSessionPayloadType,
  SignInStaffInput,
  SignInStaffPayloadType,
  SignOutStaffInput,
  SignOutStaffPayloadType,
} from './staff.types.js';

/** Sign-in and sign-out of staff; all but the last operation are for callers without a token. */
@Resolver()
export class StaffSessionResolver {
  constructor(
    private readonly signIns: StaffSignInService,
    private readonly staff: StaffService,
    private readonly oidc: OidcSignInService,
  ) {}

  @Extensions(SIGNS_STAFF_IN)
  @Mutation(() => SignInStaffPayloadType, {
    description: 'Signs a member of staff in. Needs no token. Wrong tries lead to growing waits.',
  })
  async signInStaff(
    @Arg('input', () => SignInStaffInput) input: SignInStaffInput,
    @Ctx() { tenantId: header, ip }: RequestContext,
  ): Promise<object> {
    const tenantId = input.tenantId ?? header;
    return answer(async () => this.signIns.signIn({ ...input, tenantId, ip }));
  }

  @Mutation(() => BeginStaffOidcPayloadType, {
    description: "Begins a sign-in by the installation's OpenID Connect provider. Needs no token.",
  })
  async beginStaffOidc(
    @Arg('input', () => BeginStaffOidcInput) input: BeginStaffOidcInput,
    @Ctx() { tenantId: header }: RequestContext,
  ): Promise<object> {
    return answer(async () => this.oidc.begin(input.tenantId ?? header));
  }

  @Extensions(SIGNS_STAFF_IN)
  @Mutation(() => CompleteStaffOidcPayloadType, {
    description:
      'Signs an invited member of staff in whose e-mail address the provider has verified. Needs no token.',
  })
  async completeStaffOidc(
    @Arg('input', () => CompleteStaffOidcInput) { flowToken, callbackUrl }: CompleteStaffOidcInput,
    @Ctx() { ip }: RequestContext,
  ): Promise<object> {
    return answer(async () => this.oidc.complete(flowToken, callbackUrl, ip));
  }

  @Mutation(() => RefreshStaffSessionPayloadType, {
    description: 'Takes a refresh token for new tokens. Needs no token in the header.',
  })
  async refreshStaffSession(
    @Arg('input', () => RefreshStaffSessionInput) { refreshToken }: RefreshStaffSessionInput,
  ): Promise<object> {
    return answer(async () => this.signIns.refresh(refreshToken));
  }

  @Extensions(SIGNS_STAFF_IN)
  @Mutation(() => AcceptStaffInvitationPayloadType, {
    description: 'Sets the password of an invited account, which may then sign in. Needs no token.',
  })
  async acceptStaffInvitation(
    @Arg('input', () => AcceptStaffInvitationInput) input: AcceptStaffInvitationInput,
    @Ctx() { ip }: RequestContext,
  ): Promise<object> {
    const { invitationToken, password } = input;
    return answer(async () => ({ staff: await this.staff.accept(invitationToken, password, ip) }));
  }

  @Mutation(() => SignOutStaffPayloadType, {
    description: "Ends the session of the token, or all of one's account. For staff.",
  })
  async signOutStaff(
    @Arg('input', () => SignOutStaffInput, { nullable: true }) input: SignOutStaffInput | null,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const actor = requireStaff(context);
    return answer(async () => {
      await this.signIns.signOut(actor, input?.everywhere === true);
      return {};
    });
  }
}
