import { expect, inject, it } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import { readFacts } from '../faults/checks/facts.js';
import { TcpProxy } from '../faults/tcp-proxy.js';
import type { Verdict } from '../faults/wire-events.js';
import { openWorld, seedTenant } from '../support/world.js';

it('the final check reads one snapshot, also while events are written', async () => {
  const world = await openWorld();
  const { tenantId } = await seedTenant(world);
  const reached = Promise.withResolvers<void>();
  const judged = Promise.withResolvers<Verdict>();
  const proxy = await TcpProxy.open({
    link: { process: 'api1', to: 'database' },
    target: () => Number(new URL(inject('databaseUrl')).port),
    watch: () => (event) => {
      const readsCounter =
        event.kind === 'MYSQL' && event.statements.some((sql) => sql.includes('from outbox_counter'));
      if (!readsCounter || event.side === 'REPLY') return 'PASS';
      reached.resolve();
      return judged.promise;
    },
  });
  const through = new URL(inject('databaseUrl'));
  through.port = String(proxy.port);
  const reading = readFacts({ databaseUrl: through.href, redisUrl: inject('redisUrl') }, tenantId);
  await reached.promise;
  const sql = 'insert into outbox_counter (tenant_id, last_seq) values (?, 7)';
  await systemEm(world.stores.orm).execute(sql, [tenantId]);
  judged.resolve('PASS');
  expect((await reading).counter).toEqual({ lastSeq: 0, handledSeq: 0 });
  await proxy.close();
  await world.close();
});
