import { z } from 'zod';
import { expectedVersion, givenFields } from '../platform/database/change-row.js';
import { parseInput } from '../platform/input.js';
import { OutgoingError } from '../platform/outgoing/outgoing.errors.js';
import type { OutgoingHttp } from '../platform/outgoing/outgoing-http.js';
import { OFFERED_EVENTS } from './offered-events.js';
import { URL_LENGTH_MAX } from './webhook.entity.js';
import type { WebhookRefusal } from './webhook.errors.js';

const PREVIOUS_SECRET_HOURS_MAX = 168;
const PREVIOUS_SECRET_HOURS = 24;

export type UrlCheck = Pick<OutgoingHttp, 'checkedUrl'>;

/** A URL in its one spelling, which names a public host as far as can be seen without resolving it. */
const urlOf = (check: UrlCheck) =>
  z
    .string()
    .max(URL_LENGTH_MAX, `must have at most ${URL_LENGTH_MAX} characters`)
    .transform((text, context) => {
      try {
        const { href } = check.checkedUrl(text);
        if (href.length <= URL_LENGTH_MAX) return href;
        context.addIssue({ code: 'custom', message: `must have at most ${URL_LENGTH_MAX} characters` });
      } catch (error) {
        if (!(error instanceof OutgoingError)) throw error;
        context.addIssue({ code: 'custom', message: `is not allowed: ${error.message.replace(/\.$/, '')}` });
      }
      return z.NEVER;
    });

const eventTypes = z
  .array(
    z
      .string()
      .refine((name) => Object.hasOwn(OFFERED_EVENTS, name), 'is not the name of an event that is offered'),
  )
  .max(Object.keys(OFFERED_EVENTS).length, 'must name each event once')
  .transform((names) => [...new Set(names)].toSorted());

const createInput = (check: UrlCheck) =>
  z.strictObject({ url: urlOf(check), eventTypes: eventTypes.nullish().transform((names) => names ?? []) });

const updateInput = (check: UrlCheck) =>
  z
    .strictObject({
      url: urlOf(check),
      eventTypes,
      enabled: z.boolean(),
      rotateSecret: z.boolean(),
      previousSecretHours: z
        .int()
        .min(0, 'must be at least 0')
        .max(PREVIOUS_SECRET_HOURS_MAX, `must be at most ${PREVIOUS_SECRET_HOURS_MAX}`),
      expectedVersion,
    })
    .partial()
    .transform(({ previousSecretHours = PREVIOUS_SECRET_HOURS, ...rest }) => ({
      ...rest,
      previousSecretHours,
    }));

const REFUSALS = {
  url: 'WEBHOOK_URL_NOT_ALLOWED',
  eventTypes: 'EVENT_TYPE_UNKNOWN',
  input: 'INPUT_NOT_ALLOWED',
} as const satisfies Record<string, WebhookRefusal>;

export type WebhookChange = z.output<ReturnType<typeof updateInput>>;

/** @throws DomainError with a code of `CREATE_WEBHOOK_REFUSALS` */
export function checkWebhook(check: UrlCheck, input: unknown): z.output<ReturnType<typeof createInput>> {
  return parseInput(createInput(check), input, REFUSALS);
}

/** @throws DomainError with a code of `UPDATE_WEBHOOK_REFUSALS` */
export function checkWebhookChange(check: UrlCheck, input: object): WebhookChange {
  return parseInput(updateInput(check), givenFields(input), REFUSALS);
}
