import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** A database in shards keeps no key unique that does not begin with the tenant. Tokens are 192 bits of chance all the same. */
export class Migration20261130115001_keep_subscription_tokens_unique_in_their_tenant extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'subscription', {
      addUniques: { uq_subscription__tenant_token: '(tenant_id, token)' },
      dropIndexes: ['uq_subscription__token'],
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'subscription', {
      addUniques: { uq_subscription__token: '(token)' },
      dropIndexes: ['uq_subscription__tenant_token'],
    });
  }
}
