/**
 * A device client that encrypts (x-encryption: v2), with nothing but Node's own modules. See docs/encryption.md.
 *
 *   REDEEMKIT_TENANT=DEMO REDEEMKIT_KEY_ID=k1 REDEEMKIT_SECRET=… REDEEMKIT_TOKEN=… \
 *     node docs/examples/encrypted-client.mjs '{ viewer { kind } }'
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const TAG_BYTES = 16;

export class EncryptedClient {
  /** @param {{ url: string, tenantId: string, keyId: string, secret: string, headers?: Record<string, string> }} settings */
  constructor({ url, tenantId, keyId, secret, headers = {} }) {
    this.url = url;
    this.tenantId = tenantId;
    this.keyId = keyId;
    this.key = Buffer.from(hkdfSync('sha256', secret, '', 'redeemkit-envelope-v2', 32));
    this.headers = headers;
    // Learned from the first refusal; a client may keep both for its next start.
    this.epoch = '';
    this.clockOffsetMs = 0;
  }

  /** Sends one body, and once more where the server says that the envelope was not for its epoch or its time. */
  async post(path, body) {
    const first = await this.send(path, body);
    const [error] = first.body.errors ?? [];
    if (first.isSealed || error?.extensions?.code !== 'ENVELOPE_EXPIRED') return first;
    this.epoch = error.extensions.epoch;
    this.clockOffsetMs = error.extensions.serverTimeMs - Date.now();
    return this.send(path, body);
  }

  async send(path, body) {
    const { envelope, headers } = this.seal(path, body);
    const reply = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(envelope),
    });
    const text = await reply.text();
    // Refusals of the envelope, and of the token, come in plain text.
    if (reply.headers.get('x-encryption') !== 'v2')
      return { status: reply.status, isSealed: false, body: JSON.parse(text) };
    const plain = this.open(path, envelope.nonce, reply.status, JSON.parse(text));
    return { status: reply.status, isSealed: true, body: JSON.parse(plain) };
  }

  seal(path, body) {
    const headers = {
      'content-type': 'application/json',
      'x-encryption': 'v2',
      'x-tenant-id': this.tenantId,
      ...this.headers,
    };
    const nonce = randomBytes(12).toString('base64url');
    const ts = Date.now() + this.clockOffsetMs;
    const bound = ['redeemkit-v2 request', 'POST', path, this.tenantId, this.keyId, ts, nonce, this.epoch];
    for (const name of ['authorization', 'x-product-code', 'x-device-id', 'idempotency-key'])
      bound.push(headers[name] ?? '');
    const cipher = createCipheriv('aes-256-gcm', this.key, Buffer.from(nonce, 'base64url'));
    cipher.setAAD(Buffer.from(bound.join('\n')));
    const sealed = [cipher.update(JSON.stringify(body), 'utf8'), cipher.final(), cipher.getAuthTag()];
    const data = Buffer.concat(sealed).toString('base64');
    return { headers, envelope: { kid: this.keyId, ts, nonce, epoch: this.epoch, data } };
  }

  open(path, requestNonce, status, { nonce, data }) {
    const bound = ['redeemkit-v2 reply', status, path, this.tenantId, this.keyId, requestNonce, nonce];
    const bytes = Buffer.from(data, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.key, Buffer.from(nonce, 'base64url'));
    decipher.setAAD(Buffer.from(bound.join('\n')));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { env } = process;
  const token = env.REDEEMKIT_TOKEN;
  const client = new EncryptedClient({
    url: env.REDEEMKIT_URL ?? 'http://127.0.0.1:4000',
    tenantId: env.REDEEMKIT_TENANT,
    keyId: env.REDEEMKIT_KEY_ID,
    secret: env.REDEEMKIT_SECRET,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const { body } = await client.post('/graphql', { query: process.argv[2] ?? '{ __typename }' });
  process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
}
