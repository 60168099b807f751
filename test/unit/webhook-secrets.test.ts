import { describe, expect, it } from 'vitest';
import { SealedSecrets } from '../../src/platform/sealed-secrets.js';
import { WebhookSecrets } from '../../src/webhooks/webhook-secrets.js';
import type { Webhook } from '../../src/webhooks/webhook.entity.js';

const OLD = { keyId: 1, pepper: 'o'.repeat(40) };
const NEW = { keyId: 2, pepper: 'n'.repeat(40) };
const place = { tenantId: 'T', id: '7' };
const rowOf = (secret: Buffer, previousSecret: Buffer | null = null): Webhook =>
  ({ ...place, secret, previousSecret, previousSecretUntil: new Date(1000) }) as unknown as Webhook;
const by = (...keys: (typeof OLD)[]): WebhookSecrets => new WebhookSecrets(new SealedSecrets(keys));

describe('secrets of webhooks', () => {
  it('move to the present pepper, after which the previous one is not needed', () => {
    const stored = rowOf(by(OLD).seal(place, 'present'), by(OLD).seal(place, 'previous'));
    expect(by(NEW).valid(stored, 0)).toBeNull();
    expect(by(NEW, OLD).valid(stored, 0)).toEqual(['present', 'previous']);
    const moved = Object.assign(stored, by(NEW, OLD).resealed(stored));
    expect(by(NEW).valid(moved, 0)).toEqual(['present', 'previous']);
    expect(by(NEW).resealed(moved)).toBeNull();
  });

  it('stay as they are where their pepper is gone', () => {
    expect(by(NEW).resealed(rowOf(by(OLD).seal(place, 'lost')))).toBeNull();
  });

  it('sign together until the instant that was set, which is not one of theirs', () => {
    const stored = rowOf(by(OLD).seal(place, 'present'), by(OLD).seal(place, 'previous'));
    expect(by(OLD).valid(stored, 999)).toEqual(['present', 'previous']);
    expect(by(OLD).valid(stored, 1000)).toEqual(['present']);
  });

  it('cannot be read in another row, or when a bit was changed', () => {
    const sealed = by(OLD).seal(place, 'present');
    expect(by(OLD).valid(Object.assign(rowOf(sealed), { id: '8' }), 0)).toBeNull();
    expect(by(OLD).valid(Object.assign(rowOf(sealed), { tenantId: 'U' }), 0)).toBeNull();
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    expect(by(OLD).valid(rowOf(changed), 0)).toBeNull();
  });
});
