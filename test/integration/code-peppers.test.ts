import type { MikroORM } from '@mikro-orm/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { activePepper, PepperRegistry } from '../../src/codes/pepper-registry.js';
import { ConfigError } from '../../src/config.js';
import { entities } from '../../src/app/modules.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { acquireProcessNode } from '../../src/platform/database/process-node.js';
import { Code } from '../../src/codes/code.entity.js';
import { fingerprintOf } from '../../src/codes/code-digester.js';
import { Webhook } from '../../src/webhooks/webhook.entity.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  createScratchDatabase,
  emptyScratchDatabase,
  type ScratchDatabase,
} from '../support/scratch-database.js';
import { openClaim } from '../support/open-claim.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  TEST_SECRETS,
  type World,
} from '../support/world.js';

const log = createLog({ level: 'silent' });
const OLD = TEST_SECRETS.codePepper;
const NEW = 'n'.repeat(40);

let database: ScratchDatabase;
let orm: MikroORM;
openBeforeAll(async (closing) => {
  database = await closing(createScratchDatabase());
  orm = await closing(connectOrm({ databaseUrl: database.databaseUrl, poolSize: 8, entities }));
});
afterEach(async () => emptyScratchDatabase(database));

const settle = async (current: string, previous: readonly string[] = [], others: readonly string[] = []) =>
  new PepperRegistry(orm, log).settle({ current, previous, others });

/** Why it is refused; fails where it is not. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  const outcome: unknown = await work.then(
    () => 'settled',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(ConfigError);
  return outcome instanceof ConfigError ? outcome.message : '';
}

const rows = async (): Promise<unknown> =>
  systemEm(orm).execute('select key_id, fingerprint, state from code_pepper order by key_id');

/** A campaign with codes, as a program without fingerprints has left it. */
async function codesFromBefore(codeVisibility: 'VISIBLE' | 'HASHED'): Promise<void> {
  const world = await openWorld({}, { databaseUrl: database.databaseUrl });
  try {
    await seedCampaign(world, await seedTenant(world), 3, { campaign: { codeVisibility } });
  } finally {
    await world.close();
  }
  await systemEm(orm).execute('delete from code_pepper');
  await systemEm(orm).execute('update process_node set leased_until = utc_timestamp(3)');
}

describe('X.21 the pepper of codes', () => {
  it('ends a start with a message when other starts take every number that it tries', async () => {
    await systemEm(orm).execute(
      `create trigger taken before insert on code_pepper for each row
        signal sqlstate '23000' set mysql_errno = 1062, message_text = 'Duplicate entry'`,
    );
    try {
      await expect(settle(OLD)).rejects.toThrow('Other processes keep registering peppers');
      expect(await rows()).toEqual([]);
    } finally {
      await systemEm(orm).execute('drop trigger taken');
    }
  });

  it('is known by a fingerprint that does not tell it, and another one is refused', async () => {
    expect(await settle(OLD)).toEqual([{ keyId: 1, pepper: OLD }]);
    expect(await settle(OLD)).toEqual([{ keyId: 1, pepper: OLD }]);
    const before = await rows();
    expect(before).toEqual([{ key_id: 1, fingerprint: fingerprintOf(OLD), state: 'ACTIVE' }]);
    expect(JSON.stringify(before)).not.toContain(OLD);
    expect(await refusalOf(settle(NEW))).toContain('CODE_PEPPER is not the pepper');
    expect(await rows()).toEqual(before);
  });

  it('is one, however many start at once for the first time', async () => {
    const starts = await Promise.allSettled(
      Array.from({ length: 12 }, async (_, at) => settle(at % 2 === 0 ? OLD : NEW)),
    );
    const won = starts.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(6);
    expect(await rows()).toHaveLength(1);
  });

  it('is settled without waiting for codes that are being made with it', async () => {
    await settle(OLD);
    const maker = systemEm(orm);
    await maker.begin();
    expect(await activePepper(maker)).toBe(1);
    try {
      expect(await settle(OLD)).toHaveLength(1);
    } finally {
      await maker.rollback();
    }
  });

  it.each(['VISIBLE', 'HASHED'] as const)('is taken from %s codes that are there', async (visibility) => {
    await codesFromBefore(visibility);
    expect(await settle(OLD)).toEqual([{ keyId: 1, pepper: OLD }]);
    expect(await refusalOf(settle(NEW))).toContain('CODE_PEPPER is not the pepper');
  });

  it('is refused where it has not made the codes that are there, and nothing is recorded', async () => {
    await codesFromBefore('VISIBLE');
    expect(await refusalOf(settle(NEW))).toContain('CODE_PEPPER is not the pepper');
    expect(await rows()).toEqual([]);
  });

  it('is the previous one where that has made the codes that are there', async () => {
    await codesFromBefore('VISIBLE');
    expect(await settle(NEW, [OLD])).toEqual([
      { keyId: 2, pepper: NEW },
      { keyId: 1, pepper: OLD },
    ]);
  });

  it('is refused where it was set as the secret of tokens', async () => {
    await settle(OLD);
    expect(await refusalOf(settle(NEW, [], [OLD]))).toContain('JWT_SECRET holds a pepper');
    expect(await refusalOf(settle(NEW, [OLD], [OLD]))).toContain('JWT_SECRET holds a pepper');
  });
});

describe('X.21 a new pepper', () => {
  it('makes no codes while a process at work cannot read it, and does when all can', async () => {
    await settle(OLD);
    const registry = new PepperRegistry(orm, log);
    const behind = await acquireProcessNode(orm, log, { keyPrints: [fingerprintOf(OLD)] });
    const ahead = await acquireProcessNode(orm, log, { keyPrints: [OLD, NEW].map(fingerprintOf) });
    expect(await settle(NEW, [OLD])).toHaveLength(2);
    expect(await registry.activate(NEW)).toEqual({ waitsFor: 1 });
    expect(await settle(OLD), 'a process that knows the old one alone may still start').toHaveLength(1);
    await behind.release();
    expect(await registry.activate(NEW)).toBe('ACTIVE');
    expect(await rows()).toMatchObject([{ state: 'RETIRING' }, { state: 'ACTIVE' }]);
    expect(await refusalOf(settle(OLD))).toContain('The pepper was rotated');
    expect(await settle(OLD, [NEW]), 'whichever is named first').toHaveLength(2);
    await ahead.release();
  });

  it('leaves no code without its pepper: the old one can go when nothing needs it', async () => {
    await codesFromBefore('HASHED');
    const registry = new PepperRegistry(orm, log);
    expect(await settle(NEW, [OLD])).toHaveLength(2);
    expect(await registry.retire()).toBe(1);
    expect(await refusalOf(settle(NEW))).toContain('(key 1). Set CODE_PEPPER_PREVIOUS');
    await systemEm(orm).execute('update code set deleted_at = now(3)');
    expect(await registry.retire()).toBe(0);
    expect(await settle(NEW)).toEqual([{ keyId: 2, pepper: NEW }]);
    expect(await settle(NEW, [OLD]), 'and is not looked up any more').toEqual([{ keyId: 2, pepper: NEW }]);
    expect(await refusalOf(settle(OLD))).toContain('The pepper was rotated');
  });
});

describe('X.21 moving secrets of settings to the current pepper', () => {
  it('keeps the old pepper needed until they are moved, and loses none of them', async () => {
    const urls = { databaseUrl: database.databaseUrl };
    const before = await openWorld({}, urls);
    const { tenantId } = await seedTenant(before);
    const device = { encryptionEnabled: true, encryptionKeys: [{ id: 'k1', secret: 'of a device' }] };
    const { version } = await before.services.settingChanges.update(tenantId, { device });
    await before.close();
    const registry = new PepperRegistry(orm, log);
    expect(await settle(NEW, [OLD])).toHaveLength(2);
    expect(await registry.retire()).toBe(1);
    const both = await openWorld({ CODE_PEPPER: NEW, CODE_PEPPER_PREVIOUS: OLD }, urls);
    expect(await both.services.redigest.run(() => undefined)).toMatchObject({ waitsFor: 0, needed: 0 });
    await both.close();
    const after = await openWorld({ CODE_PEPPER: NEW }, urls);
    const settings = await after.services.settings.find(tenantId);
    expect(settings).toMatchObject({ version, secrets: { encryptionKeys: { k1: 'of a device' } } });
    await after.close();
  });
});

describe('X.21 moving secrets of webhooks to the current pepper', () => {
  it('waits until every process at work knows it, keeps the old pepper needed until then, and loses none', async () => {
    const urls = { databaseUrl: database.databaseUrl };
    const before = await openWorld({}, urls);
    const { tenantId } = await seedTenant(before);
    const make = async ({ services }: World): Promise<Webhook> =>
      (await services.webhooks.create(tenantId, { url: 'https://example.com/' })).webhook;
    const first = await make(before);
    const behind = await acquireProcessNode(orm, log, { keyPrints: [fingerprintOf(OLD)] });
    const both = await openWorld({ CODE_PEPPER: NEW, CODE_PEPPER_PREVIOUS: OLD }, urls);
    const second = await make(both);
    const isReadable = ({ services }: World, { secret }: Webhook, { id }: Webhook): boolean =>
      services.webhookSecrets.valid({ tenantId, id, secret } as Webhook, 0) !== null;
    expect(isReadable(before, second, second), 'by a process that knows the old pepper alone').toBe(true);
    await behind.release();
    await before.close();
    const registry = new PepperRegistry(orm, log);
    expect(await registry.activate(NEW)).toBe('ACTIVE');
    expect(await registry.retire()).toBe(1);
    expect(await both.services.redigest.run(() => undefined)).toMatchObject({ waitsFor: 0, needed: 0 });
    await both.close();
    const after = await openWorld({ CODE_PEPPER: NEW }, urls);
    const moved = await emOf(after, tenantId).find(Webhook, {}, { orderBy: { id: 'asc' } });
    expect(moved.map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(moved.every((row) => isReadable(after, row, row))).toBe(true);
    await after.close();
  });
});

describe('X.21 moving codes to the current pepper', () => {
  it('leaves a code with an open claim unchanged until the claim is settled, and spends it once', async () => {
    const urls = { databaseUrl: database.databaseUrl };
    const before = await openWorld({}, urls);
    const tenant = await seedTenant(before);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(before, tenant, 3);
    const [holder = '', other = ''] = await seedUsers(before, tenantId, 2);
    const claim = await openClaim(before, tenant, codes[0] ?? '', holder);
    await before.close();
    const world = await openWorld({ CODE_PEPPER: NEW, CODE_PEPPER_PREVIOUS: OLD }, urls);
    const keyIds = async (): Promise<number[]> => {
      const found = await emOf(world, tenantId).find(
        Code,
        {},
        { disableIdentityMap: true, orderBy: { id: 'asc' } },
      );
      return found.map(({ digestKeyId }) => digestKeyId);
    };
    const moving = world.services.redigest.run(() => undefined);
    await vi.waitFor(async () => expect(await keyIds()).toEqual([1, 2, 2]), { timeout: 60_000 });
    expect((await world.services.groupCommit.settle(claim)).kind).toBe('COMMITTED');
    expect(await moving).toEqual({ waitsFor: 0, needed: 0, moved: 3, held: 0, odd: [] });
    expect(await keyIds()).toEqual([2, 2, 2]);
    const answers = [];
    for (const userId of [holder, other]) answers.push(await redeem(world, tenantId, userId, codes[0] ?? ''));
    expect(answers.map(outcomeOf)).toEqual(['ALREADY_REDEEMED', 'CODE_EXHAUSTED']);
    expect(outcomeOf(await redeem(world, tenantId, other, codes[1] ?? ''))).toBe('COMMITTED');
    await world.close();
  });

  it('leaves a code that clashes with another one, and its neighbours, redeemable at once', async () => {
    const urls = { databaseUrl: database.databaseUrl };
    const before = await openWorld({}, urls);
    const tenant = await seedTenant(before);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(before, tenant, 3);
    const users = await seedUsers(before, tenantId, 3);
    const [text = ''] = codes;
    const [stored] = await emOf(before, tenantId).find(Code, { codeText: text });
    await before.close();
    const world = await openWorld({ CODE_PEPPER: NEW, CODE_PEPPER_PREVIOUS: OLD }, urls);
    try {
      // The digest that the first code would get is another code's.
      const [next = ''] = world.services.recognizer.digests(
        tenantId,
        world.services.recognizer.canonicalize(text) ?? '',
      );
      expect(next).not.toBe(stored?.codeDigest);
      await systemEm(orm).execute(
        `insert into code (tenant_id, id, code_digest, digest_key_id, code_text, last_four, campaign_id, batch_id,
            status, use_limit, issued_at) values (?, 1, ?, 2, null, 'XXXX', 1, 1, 'DISABLED', 1, now(3))`,
        [tenantId, next],
      );
      const report = await world.services.redigest.run(() => undefined);
      expect(report).toMatchObject({ moved: 2, odd: [stored?.id] });
      await systemEm(orm).execute('delete from code where tenant_id = ? and id = 1', [tenantId]);
      const answers = await Promise.all(
        codes.map(async (code, at) => redeem(world, tenantId, users[at] ?? '', code)),
      );
      expect(answers.map(outcomeOf)).toEqual(['COMMITTED', 'COMMITTED', 'COMMITTED']);
    } finally {
      await world.close();
    }
  });

  it('names codes whose digest is not that of their text, and does not touch them', async () => {
    const urls = { databaseUrl: database.databaseUrl };
    const before = await openWorld({}, urls);
    const tenant = await seedTenant(before);
    await seedCampaign(before, tenant, 2);
    const [row] = await emOf(before, tenant.tenantId).find(Code, {}, { orderBy: { id: 'asc' } });
    await before.close();
    await systemEm(orm).execute('update code set code_digest = ? where id = ?', ['x'.repeat(43), row?.id]);
    const world = await openWorld({ CODE_PEPPER: NEW, CODE_PEPPER_PREVIOUS: OLD }, urls);
    const report = await world.services.redigest.run(() => undefined);
    expect(report).toMatchObject({ moved: 1, held: 0, odd: [row?.id], needed: 1 });
    await world.close();
  });
});
