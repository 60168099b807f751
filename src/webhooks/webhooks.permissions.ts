import { EDITORS, STAFF, type Permissions } from '../graphql/rule.js';

export const WEBHOOK_PERMISSIONS: Permissions = {
  query: {
    webhooks: STAFF,
    webhookDeliveries: STAFF,
  },
  mutation: {
    createWebhook: EDITORS,
    updateWebhook: EDITORS,
    deleteWebhook: EDITORS,
    replayWebhook: EDITORS,
    sendTestEvent: EDITORS,
    resendWebhookDelivery: EDITORS,
  },
};
