import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isApiKey } from '../../src/identity/partners/api-key-text.js';
import { callCli, cliEnvironment, lineOf, refusalLineOf } from '../support/cli.js';
import { manifestOf, VIEWER } from '../support/partners.js';
import { openWorld, seedTenant, type World } from '../support/world.js';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(path.join(tmpdir(), 'manifest-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await world?.close();
});

const cli = async (...args: string[]) => callCli(cliEnvironment(), args);

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

it('sets the issuer of user tokens in the place of the present one, shows it, and removes it', async () => {
  const { tenantId } = await seedTenant(world);
  const its = ['--tenant', tenantId];
  const issuer = async (verb: string, ...args: string[]) =>
    callCli({ ...cliEnvironment(), JWKS_HOSTS: 'login.example' }, ['issuer', verb, ...its, ...args]);
  const name = `https://login.example/${tenantId}`;
  const terms = ['--issuer', name, '--audience', 'redeem', '--jwks'];
  expect((await refusalLineOf(issuer('show'))).line).toContain('ISSUER_NOT_FOUND');
  const foreign = await refusalLineOf(issuer('set', ...terms, 'https://elsewhere.example/keys'));
  expect(foreign.line).toContain('JWKS_HOST_NOT_ALLOWED');
  const url = 'https://login.example/keys';
  const first = await issuer('set', ...terms, url, '--tags-claim', 'groups', '--json');
  const values = { issuer: name, audience: 'redeem', jwksUrl: url };
  expect(JSON.parse(first.stdout)).toMatchObject({
    ...values,
    tagsClaim: 'groups',
    enabled: true,
    version: 1,
  });
  const stale = await refusalLineOf(issuer('set', ...terms, url, '--expect', '7'));
  expect(stale.line).toContain('VERSION_CONFLICT');
  await lineOf(issuer('set', ...terms, url, '--enabled', 'no', '--expect', '1'));
  const shown = JSON.parse((await issuer('show', '--json')).stdout) as unknown;
  expect(shown).toMatchObject({ ...values, tagsClaim: null, enabled: false, version: 2 });
  expect(await lineOf(issuer('show'))).toContain(name);
  expect(JSON.parse((await issuer('remove', '--json')).stdout)).toEqual(shown);
  expect(await world.services.issuers.find(tenantId)).toBeNull();
  expect((await refusalLineOf(issuer('remove'))).line).toContain('ISSUER_NOT_FOUND');
});
