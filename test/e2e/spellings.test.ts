import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { signedUser, startBundled } from '../support/cluster.js';
import type { RunningProcess } from '../support/processes.js';
import { redeemOnce } from '../support/redeemers.js';
import { truthOf } from '../support/truth.js';
import { openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

let world: World;
let api: RunningProcess;
beforeAll(async () => {
  world = await openWorld();
  const urls = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
  api = await startBundled({ role: 'api', ...urls, environment: { STORE_TIMEOUT_MS: '10000' } });
});
afterAll(async () => {
  await api.stop();
  await world.close();
});

it('X.12 every forgiving spelling of a code is that code', async () => {
  const tenant = await seedTenant(world);
  const campaign = await seedCampaign(world, tenant, 12, {
    rule: { alphabet: 'ABCDEFGHIJKMNOPQRSTUVWXYZ23456789' },
  });
  const guest = await signedUser(world, tenant.tenantId);
  const spellings: ((code: string) => string)[] = [
    (code) => code.toLowerCase(),
    (code) => (code.match(/.{1,4}/g) ?? []).join('-'),
    (code) => `  ${(code.match(/.{1,4}/g) ?? []).join(' ')}\n`,
    (code) => (code.match(/.{1,4}/g) ?? []).join('\u2013'),
    (code) =>
      code.replace(/[0-9A-Z]/g, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)),
    (code) => `\ufeff${code}\u200b`,
    (code) => code.replaceAll('0', 'O').replaceAll('1', 'l'),
    (code) => `\u201c${code}\u201d.`,
    (code) => [...code].join('._'),
    (code) => `${code}${' '.repeat(200)}`,
    (code) => code.replaceAll('I', '\u0131').replaceAll('1', '\u0130'),
    (code) => code,
  ];
  for (const [index, spell] of spellings.entries()) {
    const code = campaign.codes[index] ?? '';
    const one = await redeemOnce(api.url, { user: guest, code: spell(code), key: `spelling-${index}` });
    expect(one.outcome, `spelling ${index}`).toBe('COMMITTED');
    const plain = await redeemOnce(api.url, { user: guest, code, key: `spelling-${index}` });
    expect(plain).toMatchObject({ outcome: 'COMMITTED', redemption: one.redemption });
  }
  expect((await truthOf(world, tenant.tenantId)).committed).toHaveLength(12);
});
