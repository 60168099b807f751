import { VERSION_REFUSALS } from '../platform/database/change-row.js';
import { DomainError } from '../platform/errors.js';

const FIELD_REFUSALS = ['WEBHOOK_URL_NOT_ALLOWED', 'EVENT_TYPE_UNKNOWN', 'INPUT_NOT_ALLOWED'] as const;

/** Why a webhook cannot be made, in order of precedence. */
export const CREATE_WEBHOOK_REFUSALS = [...FIELD_REFUSALS, 'WEBHOOK_LIMIT_REACHED'] as const;
/** Why a webhook is not changed, in order of precedence. */
export const UPDATE_WEBHOOK_REFUSALS = [...FIELD_REFUSALS, 'WEBHOOK_NOT_FOUND', ...VERSION_REFUSALS] as const;
export const DELETE_WEBHOOK_REFUSALS = ['WEBHOOK_NOT_FOUND'] as const;
/** Why events are not sent again, in order of precedence. */
export const REPLAY_WEBHOOK_REFUSALS = [
  'CURSOR_MALFORMED',
  'WEBHOOK_NOT_FOUND',
  'WEBHOOK_DISABLED',
  'CURSOR_UNKNOWN',
  'CURSOR_EXPIRED',
] as const;

/** Why no test is sent, in order of precedence. */
export const SEND_TEST_EVENT_REFUSALS = ['WEBHOOK_NOT_FOUND', 'WEBHOOK_DISABLED'] as const;
/** Why a delivery is not sent again, in order of precedence. */
export const RESEND_WEBHOOK_DELIVERY_REFUSALS = [
  'DELIVERY_NOT_FOUND',
  'WEBHOOK_NOT_FOUND',
  'WEBHOOK_DISABLED',
  'EVENT_EXPIRED',
  'DELIVERY_UNDER_WAY',
] as const;

export type WebhookRefusal =
  | (typeof CREATE_WEBHOOK_REFUSALS)[number]
  | (typeof UPDATE_WEBHOOK_REFUSALS)[number]
  | (typeof REPLAY_WEBHOOK_REFUSALS)[number]
  | (typeof RESEND_WEBHOOK_DELIVERY_REFUSALS)[number];

/** @param field of the input that led to the webhook */
export function webhookNotFound(field = 'webhookId'): DomainError<WebhookRefusal> {
  return new DomainError('WEBHOOK_NOT_FOUND', 'The tenant has no webhook with this id.', {
    field: ['input', field],
  });
}
