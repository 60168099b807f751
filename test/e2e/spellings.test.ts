import { afterAll, beforeAll, expect, it } from 'vitest';
import { signedUser, standingCluster, type Cluster } from '../support/cluster.js';
import { redeemOnce } from '../support/redeemers.js';
import { truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

it('X.12 every forgiving spelling of a code is that code', async () => {
  const { world, urls } = cluster;
  const [url] = urls;
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
    const one = await redeemOnce(url, { user: guest, code: spell(code), key: `spelling-${index}` });
    expect(one.outcome, `spelling ${index}`).toBe('COMMITTED');
    const plain = await redeemOnce(url, { user: guest, code, key: `spelling-${index}` });
    expect(plain).toMatchObject({ outcome: 'COMMITTED', redemption: one.redemption });
  }
  expect((await truthOf(world, tenant.tenantId)).committed).toHaveLength(12);
});
