import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { ExpectedVersionField } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { payloadType } from '../../graphql/payload-type.js';
import { JsonObjectScalar } from '../../graphql/scalars.js';
import { TIME_UNIT_DESCRIPTION, TIME_UNITS, type TimeUnit } from '../../rewards/time-unit.js';
import { AnnouncementType } from '../announcements/announcement.types.js';
import { UPDATE_GLOBAL_CONFIG_REFUSALS } from './merge-settings.js';
import type { CustomData } from './setting-sections.js';

const TimeUnitEnum = enumFromValues('TimeUnit', TIME_UNITS, TIME_UNIT_DESCRIPTION);

@ObjectType('SiteConfig', { description: 'What clients show of the tenant.' })
class SiteConfigType {
  @Field(() => String, { nullable: true })
  name!: string | null;

  @Field(() => String, { nullable: true })
  description!: string | null;

  @Field(() => String, { nullable: true })
  url!: string | null;

  @Field(() => String, { nullable: true })
  logoUrl!: string | null;
}

@ObjectType('AuthConfig', { description: 'How callers without an account come in.' })
class AuthConfigType {
  @Field(() => Boolean, { description: 'Whether devices may sign in.' })
  deviceSignInEnabled!: boolean;

  @Field(() => Boolean, { description: 'Whether a sign-in needs a captcha token.' })
  captchaEnabled!: boolean;

  @Field(() => String, nullable('Where captcha tokens are verified.'))
  captchaProviderUrl!: string | null;

  @Field(() => String, nullable("The provider's public key, for the widget of the client."))
  captchaSiteKey!: string | null;

  @Field(() => Boolean, {
    description: 'Whether a secret is stored for the provider. The secret is never shown.',
  })
  hasCaptchaSecret!: boolean;
}

@ObjectType('RegisterConfig', { description: 'What happens at the first sign-in.' })
class RegisterConfigType {
  @Field(() => Int, { description: 'New users from one address in a window; 0 means unlimited.' })
  signUpsPerAddress!: number;

  @Field(() => Int)
  signUpWindowMinutes!: number;

  @Field(() => ID, nullable('The plan that a new user gets once; null means no trial.'))
  trialPlanId!: string | null;

  @Field(() => TimeUnitEnum)
  trialUnit!: TimeUnit;

  @Field(() => Int, { description: 'Length of the trial in units.' })
  trialQuantity!: number;
}

@ObjectType('DeviceConfig', { description: 'Limits of devices, and their encrypted transmission.' })
class DeviceConfigType {
  @Field(() => Int, { description: 'Devices of one user; 0 means that only the plan limits them.' })
  devicesPerUser!: number;

  @Field(() => Int, { description: 'Devices of one user that may be online at once; 0 means unlimited.' })
  onlinePerUser!: number;

  @Field(() => Boolean)
  encryptionEnabled!: boolean;

  @Field(() => String, nullable('The key that clients are to use. Its secret is never shown.'))
  encryptionKeyId!: string | null;

  @Field(() => String, nullable('The key of clients that speak v1; null means that v1 is refused.'))
  encryptionV1KeyId!: string | null;

  @Field(() => [String], { description: 'The keys that are accepted.' })
  encryptionKeyIds!: string[];
}

@ObjectType('GlobalConfig', {
  description: 'The settings of a tenant, without secrets. For all callers, also before sign-in.',
})
export class GlobalConfigType {
  @Field(() => Int, { description: 'Raised by every change, 0 before the first one; for `expectedVersion`.' })
  version!: number;

  @Field(() => SiteConfigType)
  site!: SiteConfigType;

  @Field(() => AuthConfigType)
  auth!: AuthConfigType;

  @Field(() => RegisterConfigType)
  register!: RegisterConfigType;

  @Field(() => DeviceConfigType)
  device!: DeviceConfigType;

  @Field(() => JsonObjectScalar, { description: "What the tenant keeps for its clients; '{}' if nothing." })
  customData!: CustomData;

  @Field(() => [AnnouncementType], { description: 'The 15 newest announcements of this moment.' })
  announcements?: AnnouncementType[];
}

@InputType()
class SiteConfigInput {
  @Field(() => String, nullable('1 to 64 characters; null clears it.'))
  name?: string | null;

  @Field(() => String, nullable('1 to 500 characters; null clears it.'))
  description?: string | null;

  @Field(() => String, nullable('An http or https address; null clears it.'))
  url?: string | null;

  @Field(() => String, nullable('An http or https address; null clears it.'))
  logoUrl?: string | null;
}

@InputType()
class AuthConfigInput {
  @Field(() => Boolean, { nullable: true })
  deviceSignInEnabled?: boolean | null;

  @Field(() => Boolean, nullable('Needs captchaProviderUrl and captchaSecret.'))
  captchaEnabled?: boolean | null;

  @Field(
    () => String,
    nullable(
      'An http or https address; null clears it. Another one drops the captchaSecret that is not sent with it.',
    ),
  )
  captchaProviderUrl?: string | null;

  @Field(() => String, nullable('1 to 256 characters; null clears it.'))
  captchaSiteKey?: string | null;

  @Field(() => String, nullable('At most 256 characters; null removes it. Stored encrypted, never shown.'))
  captchaSecret?: string | null;
}

@InputType()
class RegisterConfigInput {
  @Field(() => Int, nullable('0 to 1,000,000; 0 means unlimited.'))
  signUpsPerAddress?: number | null;

  @Field(() => Int, nullable('1 to 43,200.'))
  signUpWindowMinutes?: number | null;

  @Field(() => ID, nullable('Null ends trials.'))
  trialPlanId?: string | null;

  @Field(() => TimeUnitEnum, { nullable: true })
  trialUnit?: TimeUnit | null;

  @Field(() => Int, nullable('1 to 1000.'))
  trialQuantity?: number | null;
}

@InputType()
class EncryptionKeyInput {
  @Field(() => String, { description: '1 to 32 letters, digits, hyphens or underscores.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'At most 256 characters; use 32 random bytes as text. Null removes the key.',
  })
  secret!: string | null;
}

@InputType()
class DeviceConfigInput {
  @Field(() => Int, nullable('0 to 1,000,000; 0 means that only the plan limits them.'))
  devicesPerUser?: number | null;

  @Field(() => Int, nullable('0 to 1,000,000; 0 means unlimited.'))
  onlinePerUser?: number | null;

  @Field(() => Boolean, nullable('Needs a key with a secret.'))
  encryptionEnabled?: boolean | null;

  @Field(
    () => String,
    nullable('The key that clients are to use. If there is none yet, the first one is taken.'),
  )
  encryptionKeyId?: string | null;

  @Field(() => String, nullable('The key of clients that speak v1; null refuses v1.'))
  encryptionV1KeyId?: string | null;

  @Field(
    () => [EncryptionKeyInput],
    nullable('Keys to add, replace or remove; others stay. At most 10 in all.'),
  )
  encryptionKeys?: EncryptionKeyInput[] | null;
}

@InputType()
export class UpdateGlobalConfigInput {
  @Field(() => SiteConfigInput, { nullable: true })
  site?: SiteConfigInput | null;

  @Field(() => AuthConfigInput, { nullable: true })
  auth?: AuthConfigInput | null;

  @Field(() => RegisterConfigInput, { nullable: true })
  register?: RegisterConfigInput | null;

  @Field(() => DeviceConfigInput, { nullable: true })
  device?: DeviceConfigInput | null;

  @Field(
    () => JsonObjectScalar,
    nullable('Keys to set; null removes a key, others stay. At most 100 keys, and 16 KiB of JSON in all.'),
  )
  customData?: CustomData | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

export const UpdateGlobalConfigPayloadType = payloadType(
  'UpdateGlobalConfig',
  UPDATE_GLOBAL_CONFIG_REFUSALS,
  { globalConfig: { type: () => GlobalConfigType } },
);
