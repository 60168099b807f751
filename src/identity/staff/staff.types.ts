import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { STAFF_ROLES, type StaffRole } from '../../graphql/actor.js';
import { enumFromValues } from '../../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { ListArgs, listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { InstantScalar } from '../../graphql/scalars.js';
import { STAFF_STATUSES, type StaffStatus } from './staff.entity.js';
import * as refusals from './staff.errors.js';

export const StaffRoleEnum = enumFromValues('StaffRole', STAFF_ROLES, 'The rights of a member of staff.', {
  OWNER: 'Everything.',
  OPERATOR: 'Everything but tenants and accounts of staff.',
  AUDITOR: 'Reads, and changes nothing.',
});
const StaffStatusEnum = enumFromValues('StaffStatus', STAFF_STATUSES, 'Where an account stands.', {
  INVITED: 'Has no password: an invitation sets it.',
  ACTIVE: 'May sign in.',
  DISABLED: 'May do nothing; its sessions have ended.',
});

@ObjectType('Staff', { description: 'An account of a member of staff.' })
export class StaffType {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'Unique in the tenant, in small letters.' })
  email!: string;

  @Field(() => String)
  name!: string;

  @Field(() => StaffRoleEnum)
  role!: StaffRole;

  @Field(() => StaffStatusEnum)
  status!: StaffStatus;

  @Field(() => InstantScalar, nullable('The last sign-in.'))
  signedInAt?: Date | null;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;
}

@InputType()
export class SignInStaffInput {
  @Field(() => ID, nullable('The tenant; or the header `x-tenant-id`.'))
  tenantId?: string | null;

  @Field(() => String)
  email!: string;

  @Field(() => String)
  password!: string;

  @Field(
    () => String,
    nullable('Six digits, or a recovery code, where the account has a second factor. A code works once.'),
  )
  totpCode?: string | null;
}

@InputType()
export class BeginStaffOidcInput {
  @Field(() => ID, nullable('The tenant; or the header `x-tenant-id`.'))
  tenantId?: string | null;
}

@InputType()
export class CompleteStaffOidcInput {
  @Field(() => String, { description: 'As `beginStaffOidc` gave it to this page.' })
  flowToken!: string;

  @Field(() => String, { description: 'The URL to which the provider has sent the browser.' })
  callbackUrl!: string;
}

@InputType()
export class RefreshStaffSessionInput {
  @Field(() => String, { description: 'The newest one. It works once; a second time ends the session.' })
  refreshToken!: string;
}

@InputType()
export class SignOutStaffInput {
  @Field(() => Boolean, nullable('Ends all sessions of the account, not only this one.'))
  everywhere?: boolean | null;
}

@InputType()
export class InviteStaffInput {
  @Field(() => String)
  email!: string;

  @Field(() => String, { description: '1 to 64 characters.' })
  name!: string;

  @Field(() => StaffRoleEnum)
  role!: StaffRole;
}

@InputType()
export class AcceptStaffInvitationInput {
  @Field(() => String, { description: 'As the invitation gave it. It works once.' })
  invitationToken!: string;

  @Field(() => String, { description: '12 to 128 characters, of them four different.' })
  password!: string;
}

@InputType()
export class ResetStaffInput {
  @Field(() => ID)
  staffId!: string;
}

@InputType()
export class UpdateStaffInput {
  @Field(() => ID)
  staffId!: string;

  @Field(() => String, nullable('1 to 64 characters. If missing, it stays.'))
  name?: string | null;

  @Field(() => StaffRoleEnum, nullable('A change ends the sessions of the account. If missing, it stays.'))
  role?: StaffRole | null;

  @Field(
    () => StaffStatusEnum,
    nullable(
      'ACTIVE or DISABLED, which ends the sessions of the account. ACTIVE makes a DISABLED account without a password INVITED: invite it again. If missing, it stays.',
    ),
  )
  status?: StaffStatus | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class ChangeStaffPasswordInput {
  @Field(() => String)
  currentPassword!: string;

  @Field(() => String, { description: '12 to 128 characters, of them four different.' })
  newPassword!: string;
}

@InputType()
export class EnrolSecondFactorInput {
  @Field(() => String)
  password!: string;
}

@InputType()
export class ConfirmSecondFactorInput {
  @Field(() => String, { description: 'The code that the app shows for the new secret.' })
  totpCode!: string;
}

@InputType()
export class RemoveSecondFactorInput {
  @Field(() => String)
  password!: string;

  @Field(() => String, { description: 'The code of the app, or a recovery code.' })
  totpCode!: string;
}

@InputType()
export class RegenerateRecoveryCodesInput {
  @Field(() => String)
  password!: string;

  @Field(() => String, { description: 'The code of the app, or a recovery code.' })
  totpCode!: string;
}

@InputType()
export class StaffFilterInput {
  @Field(() => StaffStatusEnum, { nullable: true })
  status?: StaffStatus | null;

  @Field(() => StaffRoleEnum, { nullable: true })
  role?: StaffRole | null;

  @Field(() => String, { nullable: true })
  email?: string | null;
}

@ArgsType()
export class StaffListArgs extends ListArgs {
  @Field(() => StaffFilterInput, { nullable: true })
  filter?: StaffFilterInput | null;
}

export const StaffPageType = listPageOf(StaffType, 'StaffPage');

const STAFF_FIELD = { staff: { type: () => StaffType } } as const;
const SESSION_FIELDS = {
  accessToken: { type: () => String, description: 'For `authorization: Bearer …`; a quarter of an hour.' },
  expiresAt: { type: () => InstantScalar, description: 'Of the access token.' },
  refreshToken: { type: () => String, description: 'For `refreshStaffSession`; works once.' },
  refreshExpiresAt: { type: () => InstantScalar, description: 'The session ends here without a refresh.' },
  ...STAFF_FIELD,
} as const;
const RECOVERY_FIELDS = {
  ...STAFF_FIELD,
  recoveryCodes: {
    type: () => [String],
    description:
      'Each signs in once in place of a code of the app. Shown once: keep them where the app is not.',
  },
} as const;
const INVITATION_FIELDS = {
  ...STAFF_FIELD,
  invitationToken: { type: () => String, description: 'Shown once; give it to the invited person.' },
  expiresAt: { type: () => InstantScalar, description: 'Of the invitation.' },
} as const;

const { SIGN_IN_STAFF_REFUSALS, REFRESH_STAFF_SESSION_REFUSALS, SIGN_OUT_STAFF_REFUSALS } = refusals;
export const SignInStaffPayloadType = payloadType('SignInStaff', SIGN_IN_STAFF_REFUSALS, SESSION_FIELDS);
export const BeginStaffOidcPayloadType = payloadType('BeginStaffOidc', refusals.BEGIN_OIDC_REFUSALS, {
  authorizationUrl: { type: () => String, description: 'Send the browser there.' },
  flowToken: { type: () => String, description: 'Keep it in the page, for `completeStaffOidc`.' },
});
export const CompleteStaffOidcPayloadType = payloadType(
  'CompleteStaffOidc',
  refusals.COMPLETE_OIDC_REFUSALS,
  SESSION_FIELDS,
);
export const RefreshStaffSessionPayloadType = payloadType(
  'RefreshStaffSession',
  REFRESH_STAFF_SESSION_REFUSALS,
  SESSION_FIELDS,
);
export const SignOutStaffPayloadType = payloadType('SignOutStaff', SIGN_OUT_STAFF_REFUSALS, {});
export const InviteStaffPayloadType = payloadType(
  'InviteStaff',
  refusals.INVITE_STAFF_REFUSALS,
  INVITATION_FIELDS,
);
export const ResetStaffPayloadType = payloadType(
  'ResetStaff',
  refusals.RESET_STAFF_REFUSALS,
  INVITATION_FIELDS,
);
export const AcceptStaffInvitationPayloadType = payloadType(
  'AcceptStaffInvitation',
  refusals.ACCEPT_INVITATION_REFUSALS,
  STAFF_FIELD,
);
export const UpdateStaffPayloadType = payloadType('UpdateStaff', refusals.UPDATE_STAFF_REFUSALS, STAFF_FIELD);
export const ChangeStaffPasswordPayloadType = payloadType(
  'ChangeStaffPassword',
  refusals.CHANGE_STAFF_PASSWORD_REFUSALS,
  STAFF_FIELD,
);
export const EnrolSecondFactorPayloadType = payloadType(
  'EnrolSecondFactor',
  refusals.ENROL_SECOND_FACTOR_REFUSALS,
  {
    secret: { type: () => String, description: 'In base32, for typing. Shown once.' },
    otpauthUrl: { type: () => String, description: 'For a QR image that authenticator apps read.' },
  },
);
export const ConfirmSecondFactorPayloadType = payloadType(
  'ConfirmSecondFactor',
  refusals.CONFIRM_SECOND_FACTOR_REFUSALS,
  RECOVERY_FIELDS,
);
export const RegenerateRecoveryCodesPayloadType = payloadType(
  'RegenerateRecoveryCodes',
  refusals.REGENERATE_RECOVERY_CODES_REFUSALS,
  RECOVERY_FIELDS,
);
export const RemoveSecondFactorPayloadType = payloadType(
  'RemoveSecondFactor',
  refusals.REMOVE_SECOND_FACTOR_REFUSALS,
  STAFF_FIELD,
);
