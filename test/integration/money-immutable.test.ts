import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureMessage } from '../../src/app/failure-message.js';
import { forbidChanges } from '../../src/migrations/frozen-rows.js';
import { ledgerOf, makeMoneyScene } from '../support/money-world.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

describe('S3.3 entries', () => {
  it.each(['money_entry', 'system_entry'])(
    'of %s can be neither changed nor deleted, by anyone',
    async (table) => {
      const scene = await makeMoneyScene(world, 1);
      await scene.fund(scene.users[0] ?? '', '10');
      const rows = async () => scene.sql(`select * from ${table} where tenant_id = ?`, [scene.tenantId]);
      const before = await rows();
      expect(before).toHaveLength(1);
      const refused = { errno: 1644, message: expect.stringContaining('never changed') as string };
      const update = scene.sql(`update ${table} set amount = 11 where tenant_id = ?`, [scene.tenantId]);
      await expect(update).rejects.toMatchObject(refused);
      const remove = scene.sql(`delete from ${table} where tenant_id = ?`, [scene.tenantId]);
      await expect(remove).rejects.toMatchObject(refused);
      // Not even by an insert that updates, or that replaces.
      const columns = `insert into ${table} select * from ${table} where tenant_id = ?`;
      const upsert = scene.sql(`${columns} on duplicate key update amount = 11`, [scene.tenantId]);
      await expect(upsert).rejects.toMatchObject(refused);
      const replace = scene.sql(`replace into ${table} select * from ${table} where tenant_id = ?`, [
        scene.tenantId,
      ]);
      await expect(replace).rejects.toMatchObject(refused);
      expect(await rows()).toEqual(before);
      expect(await ledgerOf(scene)).toMatchObject({ entries: 1, sum: '0', faults: [] });
    },
  );
});

/** A server that answers every statement with this error. */
const serverWith = (errno: number, message: string) => async (): Promise<never> => {
  throw Object.assign(new Error(message), { errno });
};
const messageOf = async (errno: number, message: string): Promise<string> =>
  forbidChanges(serverWith(errno, message), 'money_entry').then(
    () => 'made',
    (error: unknown) => failureMessage(error, 'LOG_LEVEL=debug'),
  );

describe('a migration on a server that forbids triggers', () => {
  it.each([
    [
      1419,
      'You do not have the SUPER privilege and binary logging is enabled',
      'log_bin_trust_function_creators = 1',
    ],
    [
      1142,
      "TRIGGER command denied to user 'app'@'%' for table 'money_entry'",
      'GRANT TRIGGER ON <database>.* TO <account>',
    ],
    [1227, 'Access denied; you need the SUPER privilege', 'Migrate with an account that has SUPER'],
  ])('names error %i with its cure', async (errno, said, cure) => {
    const message = await messageOf(errno, said);
    expect(message).toContain('The database server forbids triggers');
    expect(message).toContain(cure);
    expect(message).toMatch(/migrate` again\.$/);
  });

  it('leaves other failures as they are', async () => {
    expect(await messageOf(1021, 'Disk full')).toContain('Disk full');
  });
});
