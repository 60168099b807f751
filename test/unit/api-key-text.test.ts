import { expect, it } from 'vitest';
import { apiKeyDigest, isApiKey, newApiKey } from '../../src/identity/partners/api-key-text.js';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

it('makes keys of one form, all different, that their check sum knows', () => {
  const keys = Array.from({ length: 2000 }, newApiKey);
  for (const key of keys) {
    expect(key).toMatch(/^rk_live_[0-9A-Za-z]{36}$/);
    expect(isApiKey(key)).toBe(true);
  }
  expect(new Set(keys.map(apiKeyDigest)).size).toBe(keys.length);
});

it('takes no key with one other character, or with two neighbours swapped', () => {
  const key = newApiKey();
  const places = Array.from({ length: key.length - 8 }, (_, at) => at + 8);
  const replaced = places.flatMap((at) =>
    [...BASE62].map((other) => key.slice(0, at) + other + key.slice(at + 1)),
  );
  const swapped = places.map(
    (at) => key.slice(0, at) + (key[at + 1] ?? '') + (key[at] ?? '') + key.slice(at + 2),
  );
  expect([...replaced, ...swapped].filter((other) => other !== key && isApiKey(other))).toEqual([]);
});
