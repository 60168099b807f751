import type { MigrationObject } from '@mikro-orm/core';
import { Migration20261120000000_create_redemption_tables } from './Migration20261120000000_create_redemption_tables.js';

/** Every migration, oldest first; named one by one, because compiled and source files must bear the same names. */
export const migrations: readonly MigrationObject[] = [
  {
    name: 'Migration20261120000000_create_redemption_tables',
    class: Migration20261120000000_create_redemption_tables,
  },
];
