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
const sealed = (secret: string): Buffer => by(OLD).seal(place, secret, OLD.keyId);

describe('secrets of webhooks', () => {
  it('are sealed by the active pepper, although another one is configured first', () => {
    const stored = rowOf(by(NEW, OLD).seal(place, 'present', OLD.keyId));
    expect(by(OLD).valid(stored, 0)).toEqual(['present']);
    expect(by(NEW, OLD).resealed(stored, OLD.keyId)).toBeNull();
  });

  it('move to the active pepper, after which the previous one is not needed', () => {
    const stored = rowOf(sealed('present'), sealed('previous'));
    expect(by(NEW).valid(stored, 0)).toBeNull();
    expect(by(NEW, OLD).valid(stored, 0)).toEqual(['present', 'previous']);
    const moved = Object.assign(stored, by(NEW, OLD).resealed(stored, NEW.keyId));
    expect(by(NEW).valid(moved, 0)).toEqual(['present', 'previous']);
    expect(by(NEW).resealed(moved, NEW.keyId)).toBeNull();
  });

  it('stay as they are where their pepper is gone', () => {
    expect(by(NEW).resealed(rowOf(sealed('lost')), NEW.keyId)).toBeNull();
  });

  it('cannot be read with another pepper, although it has the number of the one that sealed them', () => {
    const stored = rowOf(sealed('present'));
    expect(by({ ...OLD, pepper: 'x'.repeat(40) }).valid(stored, 0)).toBeNull();
    expect(by(OLD).valid(stored, 0)).toEqual(['present']);
  });

  it('sign together until the instant that was set, which is not one of theirs', () => {
    const stored = rowOf(sealed('present'), sealed('previous'));
    expect(by(OLD).valid(stored, 999)).toEqual(['present', 'previous']);
    expect(by(OLD).valid(stored, 1000)).toEqual(['present']);
  });

  it('cannot be read in another row, or when a bit was changed', () => {
    const stored = sealed('present');
    expect(by(OLD).valid(Object.assign(rowOf(stored), { id: '8' }), 0)).toBeNull();
    expect(by(OLD).valid(Object.assign(rowOf(stored), { tenantId: 'U' }), 0)).toBeNull();
    const changed = Buffer.from(stored);
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
    expect(by(OLD).valid(rowOf(changed), 0)).toBeNull();
  });
});
