import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { digestOf } from '../../src/audit/audit-chain.js';
import { forbidChanges, permitChanges } from '../../src/migrations/frozen-rows.js';
import { present } from '../../src/platform/assert.js';
import { systemEm } from '../../src/platform/database/orm.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { allOf, entriesOf, findingsOf, findingText } from '../support/audit.js';
import { callCli } from '../support/cli.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import { emOf, openWorld, seedTenant, TEST_SECRETS, type World } from '../support/world.js';

const ENTRIES = 6;
const CREATE = `mutation ($input: CreateFacilityInput!) { createFacility(input: $input) { errors { code } } }`;

// Triggers are dropped here, for everyone.
let database: ScratchDatabase;
let world: World;
let api: ProductApi;
let folder: string;
let file: string;
let tenantId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redeemkit-audit-'));
  file = join(folder, 'anchors.jsonl');
  database = await createScratchDatabase();
  world = await openWorld({ AUDIT_ANCHOR_FILE: file }, { databaseUrl: database.databaseUrl });
  api = new ProductApi(world);
});
afterAll(async () => {
  await world?.close();
  await database?.drop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  ({ tenantId } = await seedTenant(world));
  await change(ENTRIES);
});

/** Some changes by staff, an entry each. */
async function change(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1)
    await api.ask(staffOf(tenantId), CREATE, { input: { name: `F ${at}` } });
}

const sql = async (text: string, params: readonly unknown[] = []): Promise<void> => {
  await systemEm(world.stores.orm).execute(text, [...params]);
};

const execute = async (text: string, params: readonly unknown[]) =>
  systemEm(world.stores.orm).execute<object[]>(text, [...params]);

/** As an account with all rights in the database. */
async function tamper(work: () => Promise<void>): Promise<void> {
  await permitChanges(execute, 'audit_entry');
  await work();
  await forbidChanges(execute, 'audit_entry', '');
}

/** Sets columns of an entry, and its digest so that it fits them. */
async function forge(id: string, columns: { details?: string; previous?: string }): Promise<string> {
  const entry = present(
    (await entriesOf(world, tenantId)).find((each) => each.id === id),
    'The entry',
  );
  const forged = { ...entry, ...columns };
  const digest = digestOf(forged);
  await sql('update audit_entry set details = ?, previous = ?, digest = ? where tenant_id = ? and seq = ?', [
    forged.details,
    forged.previous,
    digest,
    tenantId,
    id,
  ]);
  return digest;
}

/** Writes the ends of all chains into the event log, and from there into the file, as a worker does. */
async function anchor(): Promise<void> {
  await world.services.auditAnchors.run();
  const events = await emOf(world, tenantId).find(OutboxEvent, { type: 'audit_anchored' });
  const consumer = present(
    world.services.consumers.find(({ name }) => name === 'audit anchors'),
    'The consumer',
  );
  await consumer.handle(tenantId, events as unknown as PublishedEvent[]);
}

const inFile = async (): Promise<string[]> =>
  (await allOf(world.services.auditVerifier.verifyFile(file, tenantId))).map(findingText);

describe('X.10 a verification', () => {
  it('names an entry of which any column was changed', async () => {
    const changes = [
      'created_at = created_at - interval 1 day',
      "operation = 'updateFacility'",
      "actor_kind = 'PARTNER'",
      "actor_id = 'bob'",
      "actor_role = 'AUDITOR'",
      "credential_id = '1'",
      "ip = '10.0.0.1'",
      'request_id = null',
      "target_type = 'currency'",
      "target_id = '1'",
      "details = replace(details, 'F 2', 'F 9')",
    ];
    const of = 'where tenant_id = ? and seq = 3';
    await tamper(async () => {
      for (const changed of changes) {
        const [column = ''] = changed.split(' ');
        const [row] = await execute(`select ${column} as value from audit_entry ${of}`, [tenantId]);
        const { value } = row as { readonly value: unknown };
        await sql(`update audit_entry set ${changed} ${of}`, [tenantId]);
        expect([changed, await findingsOf(world, tenantId)]).toEqual([changed, ['AUDIT_ROW_CHANGED 3']]);
        await sql(`update audit_entry set ${column} = ? ${of}`, [value, tenantId]);
      }
    });
    expect(await findingsOf(world, tenantId)).toEqual([]);
  });

  it('names an entry that was changed with its digest', async () => {
    await tamper(async () => {
      await forge('3', { details: '{}' });
    });
    expect(await findingsOf(world, tenantId)).toEqual(['AUDIT_ROW_CHANGED 3']);
  });

  it('names the last entry that was changed with its digest', async () => {
    await tamper(async () => {
      await forge(String(ENTRIES), { details: '{}' });
    });
    expect(await findingsOf(world, tenantId)).toEqual([`AUDIT_HEAD_DIFFERS ${ENTRIES}`]);
  });

  it('names entries that were deleted, in the middle and at the beginning', async () => {
    await tamper(async () =>
      sql('delete from audit_entry where tenant_id = ? and seq in (1, 4)', [tenantId]),
    );
    expect(await findingsOf(world, tenantId)).toEqual(['AUDIT_ROW_MISSING 1', 'AUDIT_ROW_MISSING 4']);
  });

  it('names all bad entries, in order', async () => {
    await tamper(async () => {
      await sql("update audit_entry set actor_id = 'bob' where tenant_id = ? and seq in (1, 5)", [tenantId]);
      await sql('delete from audit_entry where tenant_id = ? and seq in (3, 4)', [tenantId]);
    });
    expect(await findingsOf(world, tenantId)).toEqual([
      'AUDIT_ROW_CHANGED 1',
      'AUDIT_ROW_MISSING 3-4',
      'AUDIT_ROW_CHANGED 5',
    ]);
  });

  it('names two entries that were swapped', async () => {
    await tamper(async () => {
      for (const [from, to] of [
        [2, 1000],
        [4, 2],
        [1000, 4],
      ])
        await sql('update audit_entry set seq = ? where tenant_id = ? and seq = ?', [to, tenantId, from]);
    });
    expect(await findingsOf(world, tenantId)).toEqual(
      expect.arrayContaining(['AUDIT_ROW_CHANGED 2', 'AUDIT_ROW_CHANGED 4']) as string[],
    );
  });

  it('names an entry that was inserted behind the end, and before the beginning', async () => {
    const copy = `insert into audit_entry (tenant_id, seq, created_at, operation, actor_kind, actor_id, target_type,
        target_id, details, previous, digest)
      select tenant_id, ?, created_at, operation, actor_kind, actor_id, target_type, target_id, details, previous, digest
        from audit_entry where tenant_id = ? and seq = 2`;
    await sql(copy, [ENTRIES + 1, tenantId]);
    await sql(copy, [0, tenantId]);
    expect(await findingsOf(world, tenantId)).toEqual([
      'AUDIT_ROW_INSERTED 0',
      `AUDIT_ROW_INSERTED ${ENTRIES + 1}`,
    ]);
  });

  it('names what is missing at the end', async () => {
    await tamper(async () => sql('delete from audit_entry where tenant_id = ? and seq > 4', [tenantId]));
    expect(await findingsOf(world, tenantId)).toEqual([`AUDIT_ROW_MISSING 5-${ENTRIES}`]);
  });

  it('finds a whole table that was emptied', async () => {
    await sql('truncate table audit_entry');
    expect(await findingsOf(world, tenantId)).toEqual([`AUDIT_ROW_MISSING 1-${ENTRIES}`]);
    await sql('delete from audit_head');
  });

  it('finds, by the anchors, an end that was cut off together with its head', async () => {
    await anchor();
    const cut = async (): Promise<void> =>
      tamper(async () => {
        await sql('delete from audit_entry where tenant_id = ? and seq > 4', [tenantId]);
        await sql(
          `update audit_head h set last_seq = 4, digest = (select digest from audit_entry e
             where e.tenant_id = h.tenant_id and e.seq = 4) where tenant_id = ?`,
          [tenantId],
        );
      });
    await cut();
    expect(await findingsOf(world, tenantId)).toEqual([`AUDIT_ROW_MISSING ${ENTRIES}`]);
    expect(await inFile()).toEqual([`AUDIT_ROW_MISSING ${ENTRIES}`]);
    // Later changes take the numbers again, and do not heal it.
    await change(3);
    expect(await findingsOf(world, tenantId)).toEqual([`AUDIT_ANCHOR_DIFFERS ${ENTRIES}`]);
    expect(await inFile()).toEqual([`AUDIT_ANCHOR_DIFFERS ${ENTRIES}`]);
  });

  it('finds, by the file, a chain that was written again with head and event log', async () => {
    await anchor();
    await tamper(async () => {
      let previous = await forge('2', { details: '{}' });
      for (let id = 3; id <= ENTRIES; id += 1) previous = await forge(String(id), { previous });
      await sql('update audit_head set digest = ? where tenant_id = ?', [previous, tenantId]);
      await sql("delete from outbox_event where tenant_id = ? and type = 'audit_anchored'", [tenantId]);
    });
    expect(await findingsOf(world, tenantId)).toEqual([]);
    expect(await inFile()).toEqual([`AUDIT_ANCHOR_DIFFERS ${ENTRIES}`]);
  });

  it('reads chains of several pages, and passes over lines that a crash has cut short', async () => {
    await change(220);
    await anchor();
    await appendFile(file, '{"tenantId":"T_X","entr');
    await anchor();
    expect(await findingsOf(world, tenantId)).toEqual([]);
    expect(await inFile()).toEqual([]);
    await tamper(async () => sql('delete from audit_entry where tenant_id = ? and seq = 201', [tenantId]));
    expect(await findingsOf(world, tenantId)).toEqual(['AUDIT_ROW_MISSING 201']);
  });

  it('may run beside changes', async () => {
    const changing = change(30);
    const found: string[] = [];
    for (let round = 0; round < 10; round += 1) found.push(...(await findingsOf(world, tenantId)));
    await changing;
    expect(found).toEqual([]);
  });
});

describe('X.10 an anchor', () => {
  it('is written once a minute at most, by any number of workers at once', async () => {
    const anchored = async () => emOf(world, tenantId).count(OutboxEvent, { type: 'audit_anchored' });
    const due = async (minutes: number) =>
      sql('update audit_head set anchored_at = anchored_at - interval ? minute where tenant_id = ?', [
        minutes,
        tenantId,
      ]);
    expect(await world.services.auditAnchors.run(undefined, () => false)).toBe(0);
    await Promise.all(Array.from({ length: 4 }, async () => world.services.auditAnchors.run()));
    expect(await anchored()).toBe(1);
    await change(1);
    await world.services.auditAnchors.run();
    expect(await anchored()).toBe(1);
    await due(2);
    await world.services.auditAnchors.run();
    expect(await anchored()).toBe(2);
    // Without changes once a day, because old events are deleted.
    await due(23 * 60);
    await world.services.auditAnchors.run();
    expect(await anchored()).toBe(2);
    await due(2 * 60);
    await world.services.auditAnchors.run();
    expect(await anchored()).toBe(3);
    expect(await findingsOf(world, tenantId)).toEqual([]);
  });

  it('is a line of the file, with the digest of the entry', async () => {
    await anchor();
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes(tenantId));
    const last = (await entriesOf(world, tenantId)).at(-1);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { tenantId, entryId: String(ENTRIES), digest: last?.digest },
    ]);
  });
});

describe('X.10 the command audit', () => {
  const audit = async (...args: string[]) =>
    callCli(
      {
        DATABASE_URL: database.databaseUrl,
        REDIS_URL: inject('redisUrl'),
        JWT_SECRET: TEST_SECRETS.jwtSecret,
        CODE_PEPPER: TEST_SECRETS.codePepper,
        STORE_TIMEOUT_MS: '5000',
      },
      ['audit', ...args],
    );

  it('verifies one chain, names bad entries, and ends with 1', async () => {
    expect(await audit('verify', '--tenant', tenantId)).toEqual({
      status: 0,
      stdout: '',
      stderr: '1 chain is whole.\n',
    });
    await tamper(async () =>
      sql("update audit_entry set ip = '::' where tenant_id = ? and seq = 3", [tenantId]),
    );
    const { status, stdout, stderr } = await audit('verify', '--tenant', tenantId);
    expect([status, stderr]).toEqual([1, '1 finding in 1 chain.\n']);
    expect(stdout).toBe(`AUDIT_ROW_CHANGED ${tenantId} 3: Its digest is not that of its content.\n`);
    const json = await audit('verify', '--tenant', tenantId, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'AUDIT_ROW_CHANGED', tenantId, entryId: '3' });
  });

  it('compares with a file, and ends with 2 where that is not there', async () => {
    await anchor();
    await tamper(async () => {
      const digest = await forge(String(ENTRIES), { details: '{}' });
      await sql('update audit_head set digest = ? where tenant_id = ?', [digest, tenantId]);
      await sql("delete from outbox_event where tenant_id = ? and type = 'audit_anchored'", [tenantId]);
    });
    const { status, stdout } = await audit('verify', '--tenant', tenantId, '--anchors', file);
    expect([status, stdout.split(':')[0]]).toEqual([1, `AUDIT_ANCHOR_DIFFERS ${tenantId} ${ENTRIES}`]);
    expect((await audit('verify', '--tenant', tenantId, '--anchors', join(folder, 'none'))).status).toBe(2);
  });

  it('lists entries', async () => {
    const { stdout } = await audit('list', '--tenant', tenantId, '--operation', 'createFacility', '--json');
    const { total, items } = JSON.parse(stdout) as { total: number; items: object[] };
    expect([total, items[0]]).toMatchObject([ENTRIES, { operation: 'createFacility', actorId: 'eve' }]);
  });
});

it('X.10 I9 reconciliation names what is wrong with a chain', async () => {
  const { reconciler } = reconcilerOf(world);
  const drifts = async () => {
    const { EVENT_UNHANDLED: _, ...found } = driftsOf(await reconciler.run({ tenantId }));
    return found;
  };
  expect(await drifts()).toEqual({});
  await tamper(async () => sql('delete from audit_entry where tenant_id = ? and seq = 3', [tenantId]));
  expect(await drifts()).toEqual({ AUDIT_ROW_MISSING: 1 });
});
