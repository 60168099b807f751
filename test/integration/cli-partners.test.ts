import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { isApiKey } from '../../src/identity/partners/api-key-text.js';
import { callCli, lineOf, refusalLineOf } from '../support/cli.js';
import { manifestOf, VIEWER } from '../support/partners.js';
import { openWorld, seedTenant, TEST_SECRETS, type World } from '../support/world.js';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(path.join(tmpdir(), 'manifest-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await world.close();
});

const cli = async (...args: string[]) =>
  callCli(
    {
      DATABASE_URL: inject('databaseUrl'),
      REDIS_URL: inject('redisUrl'),
      JWT_SECRET: TEST_SECRETS.jwtSecret,
      CODE_PEPPER: TEST_SECRETS.codePepper,
      STORE_TIMEOUT_MS: '5000',
    },
    args,
  );

it('makes a partner, registers a manifest, makes a key that works, and revokes it', async () => {
  const { tenantId } = await seedTenant(world);
  const its = ['--tenant', tenantId];
  const partner = await lineOf(cli('partner', 'create', ...its, '--name', 'Shop GmbH'));
  const [good, bad] = [path.join(folder, 'good.json'), path.join(folder, 'bad.json')];
  await writeFile(good, manifestOf([VIEWER]));
  await writeFile(bad, JSON.stringify({ broken: '{ noSuchField }' }));
  const register = ['partner', 'operations', 'register', ...its, '--partner', partner, '--json', '--file'];
  const refused = await refusalLineOf(cli(...register, bad));
  expect(refused.line).toContain('The operation broken cannot be registered');
  expect(JSON.parse((await cli(...register, good)).stdout)).toMatchObject({ operationCount: 1, version: 1 });
  const create = ['partner', 'key', 'create', ...its, '--partner', partner, '--name', 'server'];
  const key = await lineOf(cli(...create, '--scope', 'redeem', '--scope', 'codes:read'));
  expect(isApiKey(key)).toBe(true);
  const proof = await world.services.partnerAccess.prove(key);
  expect(proof).toMatchObject({
    refusal: null,
    actor: { partnerId: partner, scopes: ['codes:read', 'redeem'] },
  });
  const { keyId } = proof?.actor ?? { keyId: '' };
  const revoked = await cli('partner', 'key', 'revoke', ...its, '--key', keyId, '--json');
  expect(JSON.parse(revoked.stdout)).toMatchObject({ id: keyId, lastFour: key.slice(-4) });
  const list = await cli('partner', 'key', 'list', ...its, '--partner', partner);
  expect(list.stdout).toContain(keyId);
  expect(list.stdout).not.toContain(key);
}, 60_000);
