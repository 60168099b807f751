import type { WebhookDeliveryStatus } from './webhooks.gql';

export const DELIVERY_STATUSES = [
  'PENDING',
  'DELIVERED',
  'FAILED',
] as const satisfies readonly WebhookDeliveryStatus[];
