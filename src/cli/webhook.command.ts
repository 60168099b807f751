import type { Webhook } from '../webhooks/webhook.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example } from './arguments.js';
import { addList, printRow } from './rows.js';
import { fields } from './table.js';

const COLUMNS = fields<Webhook>(
  'id',
  'url',
  'eventTypes',
  'status',
  'disabledReason',
  'failingSince',
  'version',
  'createdAt',
);

const REPLAY = 'webhook replay --tenant CH_123 --id 7312345678901234 --after 4711';

export function addWebhookCommands(program: Bare): void {
  const group = program
    .command('webhook')
    .description("URLs that a tenant's events are sent to.")
    .addHelpText('after', example(REPLAY));
  addList(group, {
    description: 'List the webhooks, the newest first.',
    example: 'webhook list --tenant CH_123',
    columns: COLUMNS,
    options: ofTenant,
    page: async ({ webhooks }, { tenant }, page) => webhooks.list(tenant, {}, page),
  });
  addAction(group, {
    name: 'replay',
    description: 'Send all events behind a cursor again, delivered ones included; a worker does it.',
    example: REPLAY,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--id <id>', 'the webhook')
        .requiredOption('--after <cursor>', 'the cursor of the last event that is not sent again; 0 for all')
        .option('--json', 'print JSON'),
    run: async ({ webhookReplays }, { tenant, id, after }) => webhookReplays.replay(tenant, id, after),
    print: printRow(COLUMNS),
  });
}
