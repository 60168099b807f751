import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../../graphql/expected-version.js';
import { nullable } from '../../graphql/nullable.js';
import { listPageOf } from '../../graphql/page.js';
import { payloadType } from '../../graphql/payload-type.js';
import { PushedEvent } from '../../graphql/pushed-event.js';
import { InstantScalar } from '../../graphql/scalars.js';
import type { SessionEndReason } from '../sessions/session.entity.js';
import { SessionEndReasonEnum } from '../sessions/session.types.js';
import { DEVICE_STATUSES, type DeviceStatus } from './device.entity.js';
import {
  CREATE_DEVICE_LINK_CODE_REFUSALS,
  DEVICE_LOGIN_REFUSALS,
  REFRESH_DEVICE_SESSION_REFUSALS,
  SET_DEVICE_ENABLED_REFUSALS,
  SIGN_OUT_DEVICE_REFUSALS,
  UNBIND_DEVICE_REFUSALS,
} from './device.errors.js';

const DeviceStatusEnum = enumFromValues(
  'DeviceStatus',
  DEVICE_STATUSES,
  'A DISABLED device does not sign in.',
);

@ObjectType('DeviceAgent', {
  description: 'What the user agent says of a device; null where it does not say.',
})
export class DeviceAgentType {
  @Field(() => String, nullable('With its version, e.g. "Safari 17.0".'))
  browser!: string | null;

  @Field(() => String, nullable('With its version, e.g. "iOS 17.0".'))
  system!: string | null;

  @Field(() => String, nullable('`mobile`, `tablet`, `desktop` or `tv`, for example.'))
  platform!: string | null;
}

@ObjectType('Device', { description: 'A device of a user.' })
export class DeviceType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => String, { description: 'What the client calls itself.' })
  identifier!: string;

  @Field(() => String, { description: 'As the device sent it last, at most 512 characters.' })
  userAgent!: string;

  @Field(() => String, nullable('What the device shows its user, so that staff find it.'))
  shortCode!: string | null;

  @Field(() => DeviceStatusEnum)
  status!: DeviceStatus;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => InstantScalar, { description: 'The last sign-in, or refresh of a session.' })
  lastSeenAt!: Date;

  @Field(() => InstantScalar, nullable('Null while the device is bound.'))
  unboundAt!: Date | null;
}

export const DevicePageType = listPageOf(DeviceType, 'DevicePage');

@InputType()
export class DeviceFilterInput {
  @Field(() => ID, { nullable: true })
  userId?: string | null;

  @Field(() => String, nullable('The whole identifier.'))
  identifier?: string | null;

  @Field(() => String, nullable('The whole short code, as the device shows it.'))
  shortCode?: string | null;

  @Field(() => DeviceStatusEnum, { nullable: true })
  status?: DeviceStatus | null;

  @Field(() => Boolean, nullable('Whether it is bound to its user; if missing, both.'))
  isBound?: boolean | null;
}

@InputType({ description: 'What a device says of itself. Its tenant is named by the header `x-tenant-id`.' })
export class DeviceLoginInput {
  @Field(() => String, {
    description: 'What the device is called, the same at each sign-in: 1 to 64 visible ASCII characters.',
  })
  identifier!: string;

  @Field(() => String, nullable('The user agent; cut to 512 characters.'))
  userAgent?: string | null;

  @Field(() => String, nullable('What the device shows its user, up to 32 characters. If missing, it stays.'))
  shortCode?: string | null;

  @Field(() => String, nullable('The answer to the captcha, where the tenant asks for one.'))
  captchaToken?: string | null;

  @Field(
    () => String,
    nullable(
      'Proves a known device. At the first sign-in the client may choose it: 32 to 128 visible ASCII characters, random. If missing then, the server chooses one and answers it once.',
    ),
  )
  secret?: string | null;

  @Field(
    () => String,
    nullable(
      'Of `createDeviceLinkCode`: makes a new device join that user, or gives a known one a new secret.',
    ),
  )
  linkCode?: string | null;
}

@InputType()
export class RefreshDeviceSessionInput {
  @Field(() => String)
  refreshToken!: string;
}

@InputType()
export class SignOutDeviceInput {
  @Field(() => Boolean, nullable('Ends the sessions of all devices of the user, not only this one.'))
  everywhere?: boolean | null;
}

@InputType()
export class CreateDeviceLinkCodeInput {
  @Field(() => ID, nullable('Whom the device is to join. Only for staff; a user needs none.'))
  userId?: string | null;
}

@InputType()
export class UnbindDeviceInput {
  @Field(() => ID)
  deviceId!: string;
}

@InputType()
export class SetDeviceEnabledInput {
  @Field(() => ID)
  deviceId!: string;

  @Field(() => Boolean)
  enabled!: boolean;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

const SESSION_FIELDS = {
  accessToken: {
    type: () => String,
    description: 'For the header `authorization: Bearer …`, for 15 minutes.',
  },
  expiresAt: { type: () => InstantScalar },
  refreshToken: { type: () => String, description: 'For `refreshDeviceSession`; works once.' },
  refreshExpiresAt: { type: () => InstantScalar },
  sessionId: { type: () => ID },
  deviceId: { type: () => ID },
  userId: { type: () => ID },
};

export const DeviceLoginPayloadType = payloadType(
  'DeviceLogin',
  DEVICE_LOGIN_REFUSALS,
  {
    ...SESSION_FIELDS,
    isNewUser: { type: () => Boolean, description: 'Whether this sign-in made the user.' },
    deviceSecret: {
      type: () => String,
      description:
        'The secret that the server has chosen; it is never shown again. Null where the client sent one.',
    },
  },
  { hasRetryAfter: true },
);

export const RefreshDeviceSessionPayloadType = payloadType(
  'RefreshDeviceSession',
  REFRESH_DEVICE_SESSION_REFUSALS,
  SESSION_FIELDS,
);

export const SignOutDevicePayloadType = payloadType('SignOutDevice', SIGN_OUT_DEVICE_REFUSALS, {
  sessionId: { type: () => ID },
});

export const CreateDeviceLinkCodePayloadType = payloadType(
  'CreateDeviceLinkCode',
  CREATE_DEVICE_LINK_CODE_REFUSALS,
  {
    linkCode: { type: () => String, description: 'Works once.' },
    expiresAt: { type: () => InstantScalar },
  },
);

export const UnbindDevicePayloadType = payloadType('UnbindDevice', UNBIND_DEVICE_REFUSALS, {
  device: { type: () => DeviceType },
});

export const SetDeviceEnabledPayloadType = payloadType('SetDeviceEnabled', SET_DEVICE_ENABLED_REFUSALS, {
  device: { type: () => DeviceType },
});

@ObjectType('SessionRevokedEvent', { description: 'Sessions of a device end: sign in again.' })
export class SessionRevokedEvent extends PushedEvent {
  @Field(() => ID)
  userId!: string;

  @Field(() => ID)
  deviceId!: string;

  @Field(() => SessionEndReasonEnum)
  reason!: SessionEndReason;
}
