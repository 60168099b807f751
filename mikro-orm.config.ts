/**
 * For the MikroORM command line (`npx mikro-orm migration:list`); the application connects through
 * `src/platform/database/orm.ts` and takes the same options from there.
 */
import { entities } from './src/app/modules.js';
import { migrations } from './src/migrations/index.js';
import { ormOptions } from './src/platform/database/orm.js';

const databaseUrl = process.env['DATABASE_URL'];
if (databaseUrl === undefined) {
  throw new Error('Set DATABASE_URL to the database the MikroORM command line shall work on.');
}

export default ormOptions({ databaseUrl, poolSize: 4, entities, migrations });
