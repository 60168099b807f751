import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { requireStaff } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { answer } from '../../graphql/payload.js';
import type { OwnAccountService, OwnCall } from './own-account.service.js';
import {
  ChangeStaffPasswordInput,
  ChangeStaffPasswordPayloadType,
  ConfirmSecondFactorInput,
  ConfirmSecondFactorPayloadType,
  EnrolSecondFactorInput,
  EnrolSecondFactorPayloadType,
  RegenerateRecoveryCodesInput,
  RegenerateRecoveryCodesPayloadType,
  RemoveSecondFactorInput,
  RemoveSecondFactorPayloadType,
} from './staff.types.js';

/** What members of staff change about themselves. */
@Resolver()
export class OwnAccountResolver {
  constructor(private readonly own: OwnAccountService) {}

  @Mutation(() => ChangeStaffPasswordPayloadType, {
    description: "Changes one's own password, and ends one's other sessions. For staff.",
  })
  async changeStaffPassword(
    @Arg('input', () => ChangeStaffPasswordInput) input: ChangeStaffPasswordInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const { currentPassword, newPassword } = input;
    const call = callOf(context);
    return answer(async () => ({
      staff: await this.own.changePassword(call, currentPassword, newPassword),
    }));
  }

  @Mutation(() => EnrolSecondFactorPayloadType, {
    description:
      "Makes a secret for one's authenticator app; `confirmSecondFactor` puts it to use. For staff.",
  })
  async enrolSecondFactor(
    @Arg('input', () => EnrolSecondFactorInput) { password }: EnrolSecondFactorInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const call = callOf(context);
    return answer(async () => this.own.enrol(call, password));
  }

  @Mutation(() => ConfirmSecondFactorPayloadType, {
    description: 'From then on a sign-in asks for a code. Answers ten recovery codes. For staff.',
  })
  async confirmSecondFactor(
    @Arg('input', () => ConfirmSecondFactorInput) { totpCode }: ConfirmSecondFactorInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const call = callOf(context);
    return answer(async () => this.own.confirm(call, totpCode));
  }

  @Mutation(() => RegenerateRecoveryCodesPayloadType, {
    description: "Makes ten recovery codes in place of one's present ones. For staff.",
  })
  async regenerateRecoveryCodes(
    @Arg('input', () => RegenerateRecoveryCodesInput) { password, totpCode }: RegenerateRecoveryCodesInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const call = callOf(context);
    return answer(async () => this.own.regenerateRecoveryCodes(call, password, totpCode));
  }

  @Mutation(() => RemoveSecondFactorPayloadType, {
    description: "Removes one's second factor. For staff.",
  })
  async removeSecondFactor(
    @Arg('input', () => RemoveSecondFactorInput) { password, totpCode }: RemoveSecondFactorInput,
    @Ctx() context: RequestContext,
  ): Promise<object> {
    const call = callOf(context);
    return answer(async () => ({ staff: await this.own.remove(call, password, totpCode) }));
  }
}

function callOf(context: RequestContext): OwnCall {
  return { actor: requireStaff(context), ip: context.ip };
}
