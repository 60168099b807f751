import { z } from 'zod';
import { foreignKeyText } from '../../platform/input.js';
import { directoryTenant } from './tenant-directory.js';
import type { TenantEventFault } from './tenant-event.entity.js';
import type { TenantUpdateOutcome, TenantUpdateService } from './tenant-updates.service.js';

const MESSAGE_MAX = 500;

/** The text of an event; see docs/directory.md. Fields that it does not name are for others. */
const tenantUpdated = z.object({
  id: foreignKeyText,
  type: z.literal('tenant_updated'),
  tenant: directoryTenant,
});

/** No further delivery makes the event better; the message says what is wrong with it. */
class EventMalformedError extends Error {
  override readonly name = 'EventMalformedError';
}

/** Reads events of the directory, and has them applied. */
export class TenantEventHandler {
  constructor(private readonly updates: Pick<TenantUpdateService, 'apply'>) {}

  /** @throws EventMalformedError */
  async handle(text: string): Promise<TenantUpdateOutcome> {
    const { id, tenant } = read(text);
    return this.updates.apply(tenant, id);
  }
}

/** What a letter says of a failure; of those that are no fault of the event, the log has the reason. */
export function faultOf(error: unknown): { readonly fault: TenantEventFault; readonly message: string } {
  return error instanceof EventMalformedError
    ? { fault: 'EVENT_MALFORMED', message: error.message.slice(0, MESSAGE_MAX) }
    : {
        fault: 'EVENT_NOT_APPLIED',
        message: 'It could not be applied; the log of the worker has the reason.',
      };
}

function read(text: string): z.output<typeof tenantUpdated> {
  const parsed = tenantUpdated.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const subject = (issue?.path ?? []).join('.');
  throw new EventMalformedError(
    `${subject === '' ? 'The event' : subject}: ${issue?.message ?? 'not allowed'}`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new EventMalformedError('The event is not JSON.');
  }
}
