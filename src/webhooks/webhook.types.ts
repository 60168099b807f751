import { GraphQLSafeInt } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumFromValues } from '../graphql/enums.js';
import { ExpectedVersionField, VERSION_FIELD } from '../graphql/expected-version.js';
import { nullable } from '../graphql/nullable.js';
import { listPageOf } from '../graphql/page.js';
import { payloadType } from '../graphql/payload-type.js';
import { InstantScalar } from '../graphql/scalars.js';
import {
  DELIVERY_STATUSES,
  DISABLED_REASONS,
  WEBHOOK_STATUSES,
  type DeliveryStatus,
  type DisabledReason,
  type WebhookStatus,
} from './webhook.entity.js';
import {
  CREATE_WEBHOOK_REFUSALS,
  DELETE_WEBHOOK_REFUSALS,
  REPLAY_WEBHOOK_REFUSALS,
  RESEND_WEBHOOK_DELIVERY_REFUSALS,
  SEND_TEST_EVENT_REFUSALS,
  UPDATE_WEBHOOK_REFUSALS,
} from './webhook.errors.js';

const StatusEnum = enumFromValues(
  'WebhookStatus',
  WEBHOOK_STATUSES,
  'Whether events are sent to a webhook.',
  {
    DISABLED: 'By staff.',
    DISABLED_BY_FAILURES: 'By the program; `disabledReason` says why.',
  },
);
const ReasonEnum = enumFromValues(
  'WebhookDisabledReason',
  DISABLED_REASONS,
  'Why the program has disabled a webhook.',
  { FAILURES: 'No delivery has succeeded for a week.', GONE: 'The receiver answered 410 Gone.' },
);
const DeliveryStatusEnum = enumFromValues(
  'WebhookDeliveryStatus',
  DELIVERY_STATUSES,
  'What came of the delivery of an event.',
  {
    PENDING: 'Waits for its next attempt, or an attempt is under way.',
    FAILED: 'No further attempt follows; `resendWebhookDelivery` sends it again.',
  },
);

const EVENT_TYPES =
  'Names of events, such as redemption.settled. Empty or missing means all, later ones included.';

@ObjectType('Webhook', { description: "Where a tenant's events are sent. Its secret is shown once." })
export class WebhookType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  url!: string;

  @Field(() => [String], { description: 'Names of the events that are sent; empty means all.' })
  eventTypes!: string[];

  @Field(() => StatusEnum)
  status!: WebhookStatus;

  @Field(() => ReasonEnum, nullable('Why the program has disabled it; null otherwise.'))
  disabledReason?: DisabledReason | null | undefined;

  @Field(
    () => InstantScalar,
    nullable('The first failure since the last success; null while deliveries succeed.'),
  )
  failingSince?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('Until then the previous secret signs, too.'))
  previousSecretUntil?: Date | null | undefined;

  @Field(() => Int, VERSION_FIELD)
  version!: number;

  @Field(() => InstantScalar)
  createdAt!: Date;

  @Field(() => InstantScalar)
  updatedAt!: Date;
}

@ObjectType('WebhookDelivery', { description: 'One event for one webhook. Kept for some weeks.' })
export class WebhookDeliveryType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  webhookId!: string;

  @Field(() => String)
  eventType!: string;

  @Field(() => DeliveryStatusEnum)
  status!: DeliveryStatus;

  @Field(() => GraphQLSafeInt, { description: 'Attempts so far, one under way included.' })
  attempts!: number;

  @Field(() => Int, nullable('Status of the last response; null where there was none.'))
  responseStatus?: number | null | undefined;

  @Field(() => String, nullable('The beginning of the last response.'))
  responseText?: string | null | undefined;

  @Field(
    () => String,
    nullable('Why the last attempt failed, such as RESPONSE_STATUS, TIMED_OUT or ADDRESS_NOT_ALLOWED.'),
  )
  failure?: string | null | undefined;

  @Field(() => InstantScalar, { description: 'When its time for attempts began.' })
  queuedAt!: Date;

  @Field(() => InstantScalar, nullable('Begin of the last attempt.'))
  attemptedAt?: Date | null | undefined;

  @Field(() => InstantScalar, nullable('When the next attempt may begin; null when none follows.'))
  nextAttemptAt?: Date | null | undefined;
}

export const WebhookPageType = listPageOf(WebhookType, 'WebhookPage');
export const WebhookDeliveryPageType = listPageOf(WebhookDeliveryType, 'WebhookDeliveryPage');

@InputType()
export class WebhookFilterInput {
  @Field(() => StatusEnum, { nullable: true })
  status?: WebhookStatus | null;
}

@InputType()
export class WebhookDeliveryFilterInput {
  @Field(() => ID, { nullable: true })
  webhookId?: string | null;

  @Field(() => DeliveryStatusEnum, { nullable: true })
  status?: DeliveryStatus | null;
}

@InputType()
export class CreateWebhookInput {
  @Field(() => String, {
    description: 'Begins with https:// and leads to a public host; 1,000 characters at most.',
  })
  url!: string;

  @Field(() => [String], nullable(EVENT_TYPES))
  eventTypes?: string[] | null;
}

@InputType({ description: 'Missing or null fields stay.' })
export class UpdateWebhookInput {
  @Field(() => ID)
  webhookId!: string;

  @Field(() => String, nullable('Begins with https:// and leads to a public host; 1,000 characters at most.'))
  url?: string | null;

  @Field(() => [String], nullable('Replaces the present ones; empty means all.'))
  eventTypes?: string[] | null;

  @Field(
    () => Boolean,
    nullable(
      'True enables it for events from now on; false disables it, and gives up what is not delivered yet.',
    ),
  )
  enabled?: boolean | null;

  @Field(() => Boolean, nullable('True makes a new secret, and shows it once.'))
  rotateSecret?: boolean | null;

  @Field(
    () => Int,
    nullable('With rotateSecret: how long the previous secret signs, too. 0 to 168 hours; missing means 24.'),
  )
  previousSecretHours?: number | null;

  @ExpectedVersionField()
  expectedVersion?: number | null;
}

@InputType()
export class DeleteWebhookInput {
  @Field(() => ID)
  webhookId!: string;
}

@InputType()
export class ReplayWebhookInput {
  @Field(() => ID)
  webhookId!: string;

  @Field(() => String, {
    description:
      'The cursor behind which all events are sent again, delivered ones included. "0" is before the first.',
  })
  after!: string;
}

@InputType()
export class SendTestEventInput {
  @Field(() => ID)
  webhookId!: string;
}

@InputType()
export class ResendWebhookDeliveryInput {
  @Field(() => ID)
  deliveryId!: string;
}

const webhook = { type: () => WebhookType };
const secret = {
  type: () => String,
  description: 'Signs the events: `whsec_` and 32 random bytes in base64. Shown this once.',
};
export const CreateWebhookPayloadType = payloadType('CreateWebhook', CREATE_WEBHOOK_REFUSALS, {
  webhook,
  secret,
});
export const UpdateWebhookPayloadType = payloadType('UpdateWebhook', UPDATE_WEBHOOK_REFUSALS, {
  webhook,
  secret: { ...secret, description: `${secret.description} Null unless rotateSecret was true.` },
});
export const DeleteWebhookPayloadType = payloadType('DeleteWebhook', DELETE_WEBHOOK_REFUSALS, {
  webhookId: { type: () => ID },
});
export const ReplayWebhookPayloadType = payloadType('ReplayWebhook', REPLAY_WEBHOOK_REFUSALS, { webhook });
export const SendTestEventPayloadType = payloadType('SendTestEvent', SEND_TEST_EVENT_REFUSALS, { webhook });
export const ResendWebhookDeliveryPayloadType = payloadType(
  'ResendWebhookDelivery',
  RESEND_WEBHOOK_DELIVERY_REFUSALS,
  { delivery: { type: () => WebhookDeliveryType } },
);
