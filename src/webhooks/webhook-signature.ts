import { createHmac, randomBytes } from 'node:crypto';

const PREFIX = 'whsec_';
/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;

export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

export interface WebhookMessage {
  readonly id: string;
  /** Of the attempt, in seconds since 1970: receivers refuse what is older than some minutes. */
  readonly timestampS: number;
  readonly body: string;
}

/**
 * The headers of a message by Standard Webhooks (https://www.standardwebhooks.com), with one signature for each secret
 * that is valid, so that receivers can change theirs at any moment in between.
 */
export function signedHeaders(
  { id, timestampS, body }: WebhookMessage,
  secrets: readonly string[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatures.join(' '),
  };
}
