import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { envelopes, type EnvelopeCipher, type EnvelopeOptions } from '../../sdk/src/encryption.js';
import { createClient, EncryptionError, type RedeemkitClient } from '../../sdk/src/index.js';
import {
  committedOf,
  encryptingTenant,
  openEnvelopeWorld,
  SECRET,
  type EncryptingTenant,
  type EnvelopeWorld,
} from '../support/envelope-world.js';
import { HttpProxy } from '../support/http-proxy.js';
import { openBeforeAll } from '../support/open-before-all.js';

let setting: EnvelopeWorld;
let proxy: HttpProxy;
openBeforeAll(async (closing) => {
  setting = await closing(openEnvelopeWorld());
  proxy = await closing(HttpProxy.start(setting.server.address));
});
beforeEach(() => {
  proxy.acts = [];
  proxy.requests.length = 0;
});

function clientOf(
  { tenantId, user }: EncryptingTenant,
  more: Partial<EnvelopeOptions> = {},
): RedeemkitClient {
  return createClient({
    url: proxy.url,
    productCode: 'DEMO',
    env: 'app',
    tenantId,
    token: user.token,
    retry: { firstPauseMs: 5, maxPauseMs: 50 },
    encryption: envelopes({ keyId: 'k1', secret: SECRET, ...more }),
  });
}

/** As a mini program has it of a library: the same primitives, without WebCrypto. */
const libraryCipher: EnvelopeCipher = {
  randomBytes: (length) => randomBytes(length),
  deriveKey: async (secret, info) => {
    const key = Buffer.from(hkdfSync('sha256', secret, '', info, 32));
    return {
      seal: async (nonce, additional, plain) => {
        const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(additional);
        return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      },
      open: async (nonce, additional, sealed) => {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(additional);
        decipher.setAuthTag(sealed.subarray(-16));
        return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
      },
    };
  },
};

describe('an encrypting client of the SDK', () => {
  it.each([
    ['WebCrypto', {}],
    ['the cipher of a library', { cipher: libraryCipher }],
  ])('redeems by %s, and neither code nor reply can be read on the way', async (_name, more) => {
    const tenant = await encryptingTenant(setting.world, 1);
    const [code = ''] = tenant.codes;
    const client = clientOf(tenant, more);
    const result = await client.redeemCode(code);
    expect(result.status).toBe('COMMITTED');
    // The first request learns the epoch.
    expect(proxy.requests).toHaveLength(2);
    for (const { headers, body } of proxy.requests) {
      expect(headers['x-encryption']).toBe('v2');
      expect(Object.keys(JSON.parse(body) as object)).toEqual(['kid', 'ts', 'nonce', 'epoch', 'data']);
    }
    expect(await client.mySubscriptions()).toHaveLength(1);
    expect(proxy.requests).toHaveLength(3);
    expect(await committedOf(setting.world, tenant)).toBe(1);
  });

  it('seals each repetition in an envelope of its own and redeems once', async () => {
    const tenant = await encryptingTenant(setting.world, 1);
    const client = clientOf(tenant);
    await client.myPoints();
    proxy.acts = ['LOSE', 'CUT', 'LOSE'];
    const result = await client.redeemCode(tenant.codes[0] ?? '');
    expect(result.status).toBe('COMMITTED');
    const nonces = proxy.requests.map(({ body }) => (JSON.parse(body) as { nonce: string }).nonce);
    expect(new Set(nonces).size).toBe(nonces.length);
    expect(await committedOf(setting.world, tenant)).toBe(1);
  });

  it('takes no reply in plain text for an answer, and keeps a redemption whose reply does not open', async () => {
    const tenant = await encryptingTenant(setting.world, 1);
    const client = clientOf(tenant);
    await client.myPoints();
    const plain = { data: { myPoints: { balance: 1_000_000, lots: [] } } };
    proxy.acts = [{ status: 200, body: JSON.stringify(plain) }];
    await expect(client.myPoints()).rejects.toMatchObject({ kind: 'ENCRYPTION', code: 'REPLY_NOT_SEALED' });
    const changed = JSON.stringify({ nonce: 'AAAAAAAAAAAAAAAA', data: 'AAAA' });
    proxy.acts = [{ status: 200, headers: { 'x-encryption': 'v2' }, body: changed }];
    const redeemed = client.redeemCode(tenant.codes[0] ?? '');
    await expect(redeemed).rejects.toMatchObject({ code: 'REPLY_NOT_OPENED' });
    expect(await client.resumePending()).toMatchObject([{ result: { status: 'COMMITTED' } }]);
  });

  it('reports a wrong key', async () => {
    const tenant = await encryptingTenant(setting.world, 1);
    const client = clientOf(tenant, { secret: 'another secret of thirty-two letters' });
    const redeemed = client.redeemCode(tenant.codes[0] ?? '');
    await expect(redeemed).rejects.toThrow(EncryptionError);
    await expect(redeemed).rejects.toMatchObject({ code: 'INVALID_CIPHERTEXT' });
    expect(await committedOf(setting.world, tenant)).toBe(0);
  });
});
