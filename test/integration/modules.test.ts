import 'reflect-metadata';
import { graphql } from 'graphql';
import { expect, it } from 'vitest';
import { entities, baseOf, modules } from '../../src/app/modules.js';
import { composePlatform } from '../../src/app/platform.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import { startWorker } from '../../src/app/worker.js';
import { openStores } from '../../src/app/stores.js';
import { PepperRegistry } from '../../src/codes/pepper-registry.js';
import { loadConfig } from '../../src/config.js';
import { createLog } from '../../src/platform/observability/log.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { Note, notes } from '../support/notes/notes.module.js';
import { RedisServer } from '../support/redis-server.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { emOf, seedCampaign, seedTenant, TEST_SECRETS, type World } from '../support/world.js';

/** The product with one feature more. In `src` this is one line of `modules.ts` and a migration. */
const list = modules.add(notes);

async function openWithNotes(databaseUrl: string, redisUrl: string) {
  const log = createLog({ level: 'silent' });
  const sizes = { databasePoolSize: 8, commitPoolSize: 4, storeTimeoutMs: 5000 };
  const urls = { databaseUrl, redisUrl };
  const stores = await openStores({ ...urls, ...sizes, keyPrints: [], entities: [...entities, Note] }, log);
  await systemEm(stores.orm).execute(
    'create table note (tenant_id varchar(24), id bigint unsigned, text varchar(100), primary key (tenant_id, id))',
  );
  const { jwtSecret, codePepper: current } = TEST_SECRETS;
  const codePeppers = await new PepperRegistry(stores.orm, log).settle({ current, previous: [], others: [] });
  const config = loadConfig({ NODE_ENV: 'test' });
  const platform = composePlatform(stores, { config, jwtSecret, codePeppers }, log);
  const app = list.compose(baseOf(list, platform));
  return { stores, app, services: app.services };
}

it('a feature is a module in the list: its query, consumer, check and metric are those of the product', async () => {
  const database = await createScratchDatabase();
  // A worker takes jobs of any test that shares its Redis.
  const redis = await RedisServer.start();
  const { stores, app, services } = await openWithNotes(database.databaseUrl, redis.url);
  const world: World = {
    app,
    services,
    stores,
    close: async () => undefined,
  };
  const worker = await startWorker({ ...services, ...app, orm: stores.orm });
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  await seedCampaign(world, tenant, 1);

  const em = () => emOf(world, tenantId);
  await expect.poll(async () => em().count(Note, { text: 'A campaign changed.' })).toBeGreaterThan(0);
  const noted = await em().findOneOrFail(Note, { text: 'A campaign changed.' });

  const extra = app.resolvers.filter((each) => notes.resolvers.some((resolver) => each instanceof resolver));
  const schema = buildRedeemkitSchema(app.resolvers, { resolvers: extra, permissions: notes.permissions });
  const actor = { kind: 'STAFF', tenantId, staffId: '1', role: 'OWNER' };
  const asked = { schema, source: `{ note(id: "${noted.id}") }`, contextValue: { actor } };
  expect(JSON.parse(JSON.stringify(await graphql(asked)))).toEqual({ data: { note: 'A campaign changed.' } });

  await em().insert(Note, { tenantId, id: '7', text: '' });
  expect(await services.metrics.registry.metrics()).toContain('notes_written_total 0');
  const { checks } = await services.reconciler.run({ tenantId });
  expect(checks.filter(({ count }) => count > 0)).toMatchObject([{ kind: 'NOTE_EMPTY', count: 1 }]);

  await worker.stop();
  await stores.close();
  await redis.close();
  await database.drop();
});
