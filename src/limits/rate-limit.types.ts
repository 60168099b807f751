import { Field, ID, InputType, Int, ArgsType, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { payloadType } from '../graphql/payload-type.js';
import { SET_RATE_LIMIT_REFUSALS, SETTABLE_SCOPES, type SettableScope } from './rate-limit-change.service.js';
import { RATE_LIMIT_WINDOWS, type RateLimitWindowName } from './rate-limit-usage.service.js';
import { LIMIT_SCOPES, type LimitScope } from './rate-limit.service.js';

const LimitScopeEnum = enumFromValues('LimitScope', LIMIT_SCOPES, 'Whose attempts a limit counts.');
const WindowEnum = enumFromValues('RateLimitWindow', RATE_LIMIT_WINDOWS, 'A rolling hour or a rolling day.');
const SettableScopeEnum = enumFromValues(
  'RateLimitScope',
  SETTABLE_SCOPES,
  'Whose attempts at a product line a limit counts that can be set.',
  {
    PRODUCT_LINE: 'All attempts at the product line together.',
    USER: 'Those of each single user.',
    DEVICE: 'Those of each device (header x-device-id).',
    IP: "Those of each client address (IPv6: network). The server's own addresses are not counted.",
  },
);

@ObjectType('RateLimitUsage', { description: 'How far one limit of attempts is used up.' })
export class RateLimitUsageType {
  @Field(() => String)
  productCode!: string;

  @Field(() => LimitScopeEnum)
  scope!: LimitScope;

  @Field(() => WindowEnum)
  window!: RateLimitWindowName;

  @Field(() => Int, { description: 'Attempts that the window admits.' })
  limit!: number;

  @Field(() => Int, { description: 'Attempts that it has admitted.' })
  used!: number;

  @Field(() => Int, { description: 'Attempts that it admits yet.' })
  remaining!: number;

  @Field(() => Int, {
    description: 'How long the next attempt has to wait, in milliseconds; 0 if not at all.',
  })
  retryAfterMs!: number;
}

@ObjectType('LockOut', { description: 'Failed attempts of the last hour, and the wait after too many.' })
export class LockOutType {
  @Field(() => LimitScopeEnum)
  scope!: LimitScope;

  @Field(() => Int, { description: 'Failed attempts that still count.' })
  failures!: number;

  @Field(() => Int, { description: 'Failed attempts an hour that have no consequence.' })
  failuresFree!: number;

  @Field(() => Int, {
    description: 'How long the next attempt has to wait, in milliseconds; 0 if not at all.',
  })
  retryAfterMs!: number;
}

@ObjectType('RateLimitReport', { description: 'What is left of limits. What is unlimited is not listed.' })
export class RateLimitReportType {
  @Field(() => [RateLimitUsageType])
  windows!: RateLimitUsageType[];

  @Field(() => [LockOutType], {
    description: "Of the caller that was asked for; staff see the tenant's, too.",
  })
  lockOuts!: LockOutType[];
}

@ArgsType()
export class RateLimitUsageArgs {
  @Field(() => String, nullable('One product line; missing means all.'))
  productCode?: string | null;

  @Field(() => ID, nullable('Shows the limits of this user, too. For staff; users see their own.'))
  userId?: string | null;

  @Field(() => String, nullable('Shows the limits of this device, too. For staff.'))
  deviceId?: string | null;

  @Field(() => String, nullable('Shows the limits of this client address, too. For staff.'))
  ip?: string | null;
}

@InputType()
export class SetRateLimitInput {
  @Field(() => String)
  productCode!: string;

  @Field(() => SettableScopeEnum)
  scope!: SettableScope;

  @Field(() => Int, nullable('Attempts in any hour; 0 means unlimited, null or missing the default.'))
  hourLimit?: number | null;

  @Field(() => Int, nullable('Attempts in any day; 0 means unlimited, null or missing the default.'))
  dayLimit?: number | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@ObjectType('RateLimit', { description: 'Limits as they were set.' })
class RateLimitType {
  @Field(() => String)
  productCode!: string;

  @Field(() => SettableScopeEnum)
  scope!: SettableScope;

  @Field(() => Int, nullable("0 means unlimited, null the default: a share of the product line's."))
  hourLimit?: number | null;

  @Field(() => Int, nullable("0 means unlimited, null the default: a share of the product line's."))
  dayLimit?: number | null;

  @Field(() => Int, VERSION_FIELD)
  version!: number;
}

@ObjectType('RateLimitInForce', {
  description:
    'Limits of a product line, or of each single caller at it, with what they come to. Of limits of callers that were never set, `version` is 0.',
})
export class RateLimitInForceType extends RateLimitType {
  @Field(() => Int, { description: 'Attempts that any hour admits; 0 means unlimited.' })
  hourAllowed!: number;

  @Field(() => Int, { description: 'Attempts that any day admits; 0 means unlimited.' })
  dayAllowed!: number;
}

export const SetRateLimitPayloadType = payloadType('SetRateLimit', SET_RATE_LIMIT_REFUSALS, {
  rateLimit: { type: () => RateLimitType },
});
