import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openV1, sealV1 } from '../../src/platform/crypto/envelope-v1.js';
import { staffToken } from '../support/cluster.js';
import { CLIENT_FILE } from '../support/encrypted-client.js';
import {
  clientOf,
  codeOf,
  committedOf,
  encryptingTenant,
  openEnvelopeWorld,
  readyClient,
  redeemBody,
  SECRET,
  sendSealed,
  V1_SECRET,
  VIEWER,
  type EncryptingTenant,
  type EnvelopeWorld,
} from '../support/envelope-world.js';
import { seedTenant } from '../support/world.js';

let its: EnvelopeWorld;
let url: string;
beforeAll(async () => {
  its = await openEnvelopeWorld();
  url = its.server.address;
});
afterAll(async () => its?.close());

async function v1(tenant: EncryptingTenant, body: string, secret = V1_SECRET) {
  const headers = {
    ...clientOf(tenant, url).headers,
    'content-type': 'application/json',
    'x-encryption': 'v1',
  };
  const time = '18a2b3c4d5e6f708';
  return { headers, envelope: { data: sealV1(body, secret, time), time } };
}

describe('encrypted transmission', () => {
  it('S1.8: redeems through an envelope of v2, whose request and reply show nothing in plain text', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const [code] = tenant.codes;
    const client = await readyClient(tenant, url);
    const sealed = client.seal('/graphql', redeemBody(code));
    const { status, text, isSealed } = await sendSealed(url, sealed);
    expect([status, isSealed]).toEqual([200, true]);
    for (const wire of [JSON.stringify(sealed.envelope), text])
      for (const plain of [code ?? '', 'redeemCode', 'COMMITTED']) expect(wire).not.toContain(plain);
    const plain = client.open('/graphql', sealed.envelope.nonce, 200, JSON.parse(text) as never);
    expect(JSON.parse(plain)).toMatchObject({ data: { redeemCode: { status: 'COMMITTED', errors: [] } } });
    expect(await committedOf(its.world, tenant)).toBe(1);
  });

  it('S1.8: redeems through an envelope of v1 where a key for it is configured', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const { status, text, isSealed } = await sendSealed(
      url,
      await v1(tenant, JSON.stringify(redeemBody(tenant.codes[0]))),
    );
    expect([status, isSealed]).toEqual([200, true]);
    const { data, time } = JSON.parse(text) as { data: string; time: string };
    const opened = openV1(data, V1_SECRET, time);
    expect(JSON.parse(opened?.plain.toString() ?? '')).toMatchObject({
      data: { redeemCode: { status: 'COMMITTED' } },
    });
    expect(await committedOf(its.world, tenant)).toBe(1);
  });

  it('S1.8: redeems at /api/redeem through an envelope, with the status of the reply', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const client = await readyClient(tenant, url);
    const [code] = tenant.codes;
    const redeemed = await client.post('/api/redeem', { code, userId: tenant.user.userId });
    expect([redeemed.status, redeemed.isSealed, redeemed.body]).toMatchObject([
      200,
      true,
      { status: 'COMMITTED' },
    ]);
    const unknown = await client.post('/api/redeem', { code: 'AAAA-AAAA-AAAA-AAAA' });
    expect([unknown.status, unknown.isSealed]).toEqual([404, true]);
    const { headers, envelope } = client.seal('/graphql', redeemBody(code));
    expect((await sendSealed(url, { headers, envelope }, '/api/redeem')).code).toBe('INVALID_CIPHERTEXT');
    expect(await committedOf(its.world, tenant)).toBe(1);
  });

  it('seals refusals of operations with their status, and opens for callers before sign-in', async () => {
    const tenant = await encryptingTenant(its.world, 0);
    const client = await readyClient(tenant, url, { headers: {} });
    const bad = await client.post('/graphql', { query: '{ nothing }' });
    expect([bad.status, bad.isSealed, codeOf(bad)]).toEqual([400, true, 'GRAPHQL_VALIDATION_FAILED']);
    const config = await client.post('/graphql', {
      query: '{ globalConfig { device { encryptionKeyId } } }',
    });
    expect(config.body.data).toEqual({ globalConfig: { device: { encryptionKeyId: 'k1' } } });
  });

  it('S1.8: is spoken by the client of the documents as it stands', async () => {
    const tenant = await encryptingTenant(its.world, 0);
    const env = {
      REDEEMKIT_URL: url,
      REDEEMKIT_TENANT: tenant.tenantId,
      REDEEMKIT_KEY_ID: 'k1',
      REDEEMKIT_SECRET: SECRET,
      REDEEMKIT_TOKEN: tenant.user.token,
    };
    const { stdout } = await promisify(execFile)(process.execPath, [CLIENT_FILE, VIEWER.query], { env });
    expect(JSON.parse(stdout)).toEqual({ data: { viewer: { kind: 'USER', tenantId: tenant.tenantId } } });
  });

  it('takes every key of the tenant until it is removed, on a running server', async () => {
    const tenant = await encryptingTenant(its.world, 0);
    const old = await readyClient(tenant, url, { keyId: 'old', secret: V1_SECRET });
    await readyClient(tenant, url);
    const device = { encryptionV1KeyId: null, encryptionKeys: [{ id: 'old', secret: null }] };
    await its.world.services.settingChanges.update(tenant.tenantId, { device });
    await expect.poll(async () => codeOf(await old.post('/graphql', VIEWER))).toBe('INVALID_CIPHERTEXT');
    await readyClient(tenant, url);
  });
});

describe('S1.9', () => {
  it('S1.9: bad ciphertext is INVALID_CIPHERTEXT, whatever is wrong with it, and nothing is written', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const client = await readyClient(tenant, url);
    const answers = new Set<string>();
    const { headers, envelope } = client.seal('/graphql', redeemBody(tenant.codes[0]));
    const changed = Buffer.from(envelope.data, 'base64');
    changed[3] = (changed[3] ?? 0) ^ 1;
    const other = clientOf(tenant, url, { secret: 'another' });
    other.epoch = client.epoch;
    const bodies = [
      { ...envelope, data: changed.toString('base64') },
      { ...envelope, data: '' },
      { ...envelope, kid: 'k2' },
      { ...envelope, ts: envelope.ts + 1 },
      { ...envelope, nonce: 'AAAAAAAAAAAAAAAA' },
      { ...envelope, epoch: '' },
      { ...envelope, nonce: '' },
      other.seal('/graphql', redeemBody(tenant.codes[0])).envelope,
      client.seal('/graphql', 'no operation').envelope.data,
      redeemBody(tenant.codes[0]),
      null,
    ];
    for (const body of bodies) {
      const { status, text, isSealed } = await sendSealed(url, { headers, envelope: body });
      expect([status, isSealed]).toEqual([400, false]);
      answers.add(text);
    }
    for (const version of ['v3', '', 'v2, v2'])
      answers.add(
        (await sendSealed(url, { headers: { ...headers, 'x-encryption': version }, envelope })).text,
      );
    expect([...answers].map((text) => codeOf({ body: JSON.parse(text) as never }))).toEqual([
      'INVALID_CIPHERTEXT',
    ]);
    expect(await committedOf(its.world, tenant)).toBe(0);
    // Nothing of it has used the nonce up.
    expect((await sendSealed(url, { headers, envelope })).status).toBe(200);
    expect(await committedOf(its.world, tenant)).toBe(1);
  });

  it('S1.9: a tenant without a secret, or with encryption switched off, is SECRET_IS_EMPTY', async () => {
    const off = await encryptingTenant(its.world, 1, { encryptionEnabled: false });
    const refused = await clientOf(off, url).post('/graphql', redeemBody(off.codes[0]));
    expect([refused.status, refused.isSealed, codeOf(refused)]).toEqual([400, false, 'SECRET_IS_EMPTY']);
    const { tenantId } = await seedTenant(its.world);
    for (const named of [tenantId, 'T_NOBODY', '']) {
      const client = clientOf({ ...off, tenantId: named }, url, { headers: {} });
      expect([named, codeOf(await client.post('/graphql', VIEWER))]).toEqual([named, 'SECRET_IS_EMPTY']);
    }
    expect(await committedOf(its.world, off)).toBe(0);
  });

  it('S1.9: requests without the header, and those of staff, are never answered so', async () => {
    const tenant = await encryptingTenant(its.world, 0, { encryptionEnabled: false });
    const user = `Bearer ${tenant.user.token}`;
    const staff = `Bearer ${staffToken(its.world, tenant.tenantId)}`;
    const ask = async (authorization: string, headers: Record<string, string>) =>
      sendSealed(url, {
        headers: { 'content-type': 'application/json', authorization, ...headers },
        envelope: VIEWER,
      });
    expect(await ask(user, {})).toMatchObject({ status: 200, isSealed: false, code: undefined });
    for (const version of ['v1', 'v2', 'v3'])
      expect(await ask(staff, { 'x-encryption': version })).toMatchObject({
        status: 200,
        isSealed: false,
        code: undefined,
      });
    const health = await fetch(`${url}/healthz`, { headers: { 'x-encryption': 'v2' } });
    expect([health.status, health.headers.get('x-encryption')]).toEqual([200, null]);
  });

  it('answers a bad token before it looks at the envelope', async () => {
    const tenant = await encryptingTenant(its.world, 0);
    const client = clientOf(tenant, url, { headers: { authorization: 'Bearer x.y.z' } });
    const refused = await client.post('/graphql', VIEWER);
    expect([refused.status, refused.isSealed, codeOf(refused)]).toEqual([401, false, 'UNAUTHENTICATED']);
  });

  it('refuses v1 where no key is configured for it', async () => {
    const tenant = await encryptingTenant(its.world, 1, { encryptionV1KeyId: null });
    const body = JSON.stringify(redeemBody(tenant.codes[0]));
    for (const secret of [V1_SECRET, SECRET])
      expect((await sendSealed(url, await v1(tenant, body, secret))).code).toBe('INVALID_CIPHERTEXT');
    expect(await committedOf(its.world, tenant)).toBe(0);
  });

  it('never answers a device in plain text that has asked for encryption by GET', async () => {
    const tenant = await encryptingTenant(its.world, 0);
    const headers = {
      ...clientOf(tenant, url).headers,
      'x-encryption': 'v2',
      'apollo-require-preflight': 'x',
    };
    const reply = await fetch(`${url}/graphql?query=${encodeURIComponent(VIEWER.query)}`, { headers });
    expect([reply.status, codeOf({ body: (await reply.json()) as never })]).toEqual([
      400,
      'INVALID_CIPHERTEXT',
    ]);
  });
});
