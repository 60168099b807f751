import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CodeImport, CodeImportRefusal } from '../../src/codes/files/code-import.entity.js';
import { CodeFormatRow } from '../../src/codes/code-format.entity.js';
import { wrongTotals } from '../support/code-totals.js';
import {
  openCodesWorld,
  outcomeOf as endOf,
  refusalOf,
  ruleOf,
  type CodesWorld,
} from '../support/codes-world.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type World,
} from '../support/world.js';

let codes: CodesWorld;
let world: World;
beforeAll(async () => {
  codes = await openCodesWorld(inject('databaseUrl'));
  world = await openWorld();
});
afterAll(async () => {
  await codes?.close();
  await world?.close();
});

/** A file as it comes over the wire. @param stopAfter fails there, as a connection does that breaks */
async function* sent(lines: readonly string[], stopAfter = Infinity): AsyncGenerator<Uint8Array> {
  for (const [index, line] of lines.entries()) {
    if (index === stopAfter) throw new Error('The connection broke.');
    yield Buffer.from(`${line}\r\n`);
  }
}

const foreign = (index: number): string => `FGN${String(index).padStart(9, 'X')}`;
const list = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => foreign(from + index));

async function campaignOf(quota = 0): Promise<{ tenantId: string; campaignId: string }> {
  const tenantId = await codes.addTenant(quota);
  const { id: campaignId } = await codes.addCampaign(tenantId);
  return { tenantId, campaignId };
}

async function importing(tenantId: string, campaignId: string, key = 'file'): Promise<string> {
  return (await codes.codeImports.begin(tenantId, { campaignId, idempotencyKey: key })).id;
}

async function reportOf(tenantId: string, importId: string): Promise<Record<number, string>> {
  const rows = await codes.em(tenantId).find(CodeImportRefusal, { importId });
  return Object.fromEntries(rows.map(({ line, reason }) => [line, reason]));
}

describe('X.12 import of codes', () => {
  it('takes every good line, and names each refused one and why', async () => {
    const { tenantId, campaignId } = await campaignOf();
    await codes.chosenCodes.add(tenantId, { campaignId, codes: ['TAKEN1'] });
    const id = await importing(tenantId, campaignId);
    const lines = [
      '\uFEFFcode,use_limit,note',
      '"GOOD-0001",5,"a, b"',
      'good0001,1,the same in another spelling',
      'TAKEN1,1,the tenant has it',
      '',
      'AB,1,too short',
      'GOOD0002,many,no number',
      ',1,nothing',
      '"GOOD0003,1,an unclosed quote',
      'GOOD0004,,',
      `${'X'.repeat(5000)},1,too long`,
      'GOOD0005',
    ];
    const done = await codes.codeImports.run(tenantId, id, sent(lines));
    expect([done.imported, done.refused]).toEqual([3, 7]);
    expect(await reportOf(tenantId, id)).toEqual({
      3: 'CODE_REPEATED',
      4: 'CODE_EXISTS',
      6: 'CODE_TEXT_NOT_ALLOWED',
      7: 'USE_LIMIT_OUT_OF_RANGE',
      8: 'CODE_MISSING',
      9: 'LINE_NOT_READABLE',
      11: 'LINE_NOT_READABLE',
    });
    const lineNos: number[] = [];
    let pages = 0;
    for (let afterId: string | null = null; pages === 0 || afterId !== null; pages += 1) {
      const page = await codes.codeImports.refusedLines(done, { offset: 0, size: 3, afterId });
      expect(page.total).toBe(7);
      lineNos.push(...page.items.map(({ line }) => line));
      afterId = page.next;
    }
    expect(pages).toBe(3);
    expect(lineNos).toEqual([3, 4, 6, 7, 8, 9, 11]);
    const { codes: rows, batches, issued } = await codes.state(tenantId);
    const imported = rows.filter(({ batchId }) => batchId === id);
    expect(imported.map(({ codeText, useLimit }) => [codeText, useLimit])).toEqual([
      ['GOOD-0001', 5],
      ['GOOD0004', 1],
      ['GOOD0005', 1],
    ]);
    expect(batches.find((batch) => batch.id === id)).toMatchObject({
      status: 'READY',
      generated: 3,
      requested: 3,
    });
    expect(issued).toBe(4);
    expect(await wrongTotals(codes.em(tenantId), tenantId)).toEqual([]);
    let report = '';
    for await (const part of codes.codeExports.refusedLines(tenantId, id)) report += part;
    expect(report.split('\r\n').slice(0, 2)).toEqual(['line,reason', '3,CODE_REPEATED']);
  });

  it('continues where it broke off: nothing twice, nothing missing', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const id = await importing(tenantId, campaignId);
    const lines = [...list(3500), foreign(7), 'AB'];
    for (const stopAfter of [500, 1200, 2600]) {
      const broken = codes.codeImports.run(tenantId, id, sent(lines, stopAfter));
      await expect(broken).rejects.toThrow('The connection broke.');
      const state = await codes.codeImports.find(tenantId, id);
      expect(state?.linesDone).toBe(Math.floor(stopAfter / 1000) * 1000);
      expect((await codes.state(tenantId)).codes).toHaveLength(state?.imported ?? 0);
    }
    const done = await codes.codeImports.run(tenantId, id, sent(lines));
    expect([done.imported, done.refused]).toEqual([3500, 2]);
    expect(await reportOf(tenantId, id)).toEqual({ 3501: 'CODE_REPEATED', 3502: 'CODE_TEXT_NOT_ALLOWED' });
    expect((await codes.state(tenantId)).issued).toBe(3500);
    // Sent once more, it changes nothing.
    await codes.codeImports.run(tenantId, id, sent(lines));
    expect((await codes.state(tenantId)).codes).toHaveLength(3500);
  });

  it('X.18 counts codes of one length together, because some of any random codes are digits alone', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const id = await importing(tenantId, campaignId);
    const lines = Array.from({ length: 400 }, (_, index) =>
      index % 2 === 0 ? String(10_000_000 + index) : `A${String(index).padStart(7, '0')}`,
    );
    expect((await codes.codeImports.run(tenantId, id, sent(lines))).imported).toBe(400);
  });

  it('ends with the page under way when it is not to go on, and continues later', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const id = await importing(tenantId, campaignId);
    const lines = list(3000);
    let pages = 0;
    const stopped = await codes.codeImports.run(tenantId, id, sent(lines), {
      mayGoOn: () => pages < 1,
      onPage: () => void (pages += 1),
    });
    expect([stopped.linesDone, stopped.finishedAt]).toEqual([1000, null]);
    const done = await codes.codeImports.run(tenantId, id, sent(lines));
    expect([done.imported, done.refused]).toEqual([3000, 0]);
  });

  it.each(['cancel', 'void'] as const)('takes no further line after the %s of its batch', async (step) => {
    const { tenantId, campaignId } = await campaignOf();
    const id = await importing(tenantId, campaignId);
    await codes.codeImports.run(tenantId, id, sent(list(2000), 1500)).catch(() => undefined);
    await codes.batchChanges[step](tenantId, id);
    const refusal = step === 'void' ? 'BATCH_VOIDED' : 'BATCH_CANCELLED';
    expect(await refusalOf(codes.codeImports.run(tenantId, id, sent(list(2000))))).toBe(refusal);
    expect((await codes.state(tenantId)).issued).toBe(0);
    // The job removes what was taken.
    await codes.newBatchGeneration().run({ tenantId, batchId: id }, { mayGoOn: () => true });
    expect((await codes.state(tenantId)).codes).toEqual([]);
    expect(await codes.em(tenantId).count(CodeFormatRow, { live: { $gt: 0 } })).toBe(0);
  });

  it('refuses to continue with another file, and writes nothing of it', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const id = await importing(tenantId, campaignId);
    await codes.codeImports.run(tenantId, id, sent(list(2000), 1500)).catch(() => undefined);
    const other = list(2000).with(10, foreign(99_999));
    expect(await refusalOf(codes.codeImports.run(tenantId, id, sent(other)))).toBe('IMPORT_FILE_DIFFERS');
    expect(await refusalOf(codes.codeImports.run(tenantId, id, sent(list(900))))).toBe('IMPORT_FILE_DIFFERS');
    expect((await codes.state(tenantId)).codes).toHaveLength(1000);
  });

  it('takes every line once when two runs of one import race', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const id = await importing(tenantId, campaignId);
    const lines = list(3000);
    const outcomes = await Promise.all(
      [1, 2].map(async () => endOf(codes.codeImports.run(tenantId, id, sent(lines)))),
    );
    for (const outcome of outcomes) expect(['DONE', 'IMPORT_RUNS_ELSEWHERE']).toContain(outcome);
    await codes.codeImports.run(tenantId, id, sent(lines));
    const { codes: rows, issued } = await codes.state(tenantId);
    expect([rows.length, issued, Object.keys(await reportOf(tenantId, id)).length]).toEqual([3000, 3000, 0]);
  });

  it('takes a code once when two imports with the same codes race', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const [one, other] = [
      await importing(tenantId, campaignId, 'a'),
      await importing(tenantId, campaignId, 'b'),
    ];
    const done = await Promise.all(
      [one, other].map(async (id) => codes.codeImports.run(tenantId, id, sent(list(2000)))),
    );
    expect(done.reduce((sum, { imported }) => sum + imported, 0)).toBe(2000);
    expect(done.reduce((sum, { refused }) => sum + refused, 0)).toBe(2000);
    expect((await codes.state(tenantId)).codes).toHaveLength(2000);
  });

  it('stops at the quota, keeps what is done, and continues when the quota is raised', async () => {
    const { tenantId, campaignId } = await campaignOf(1500);
    const id = await importing(tenantId, campaignId);
    expect(await refusalOf(codes.codeImports.run(tenantId, id, sent(list(2000))))).toBe(
      'TENANT_QUOTA_EXCEEDED',
    );
    expect((await codes.state(tenantId)).codes).toHaveLength(1000);
    const found = await codes.em(tenantId).findOneOrFail(CodeImport, { id });
    expect([found.linesDone, found.finishedAt]).toEqual([1000, null]);
  });

  it('X.18 is refused where the codes of the file could be guessed', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const id = await importing(tenantId, campaignId);
    const digits = Array.from({ length: 50 }, (_, index) => String(100_000 + index));
    expect(await refusalOf(codes.codeImports.run(tenantId, id, sent(digits)))).toBe('CODE_SPACE_TOO_SMALL');
    expect((await codes.state(tenantId)).codes).toEqual([]);
    const other = await importing(tenantId, campaignId, 'longer');
    await codes.codeImports.run(tenantId, other, sent(list(50)));
    const formats = await codes.em(tenantId).find(CodeFormatRow, { live: { $gt: 0 } });
    expect(formats.map(({ live }) => live)).toEqual([50]);
    await codes.batchChanges.void(tenantId, other);
    expect(await codes.em(tenantId).count(CodeFormatRow, { live: { $gt: 0 } })).toBe(0);
  });

  it('is refused by its arguments, and under a key of another campaign', async () => {
    const { tenantId, campaignId } = await campaignOf();
    const begin = async (input: Record<string, unknown>) =>
      refusalOf(codes.codeImports.begin(tenantId, input));
    expect(await begin({ campaignId })).toBe('IDEMPOTENCY_KEY_REQUIRED');
    expect(await begin({ campaignId: '4711', idempotencyKey: 'k' })).toBe('CAMPAIGN_NOT_FOUND');
    const id = await importing(tenantId, campaignId);
    expect(await importing(tenantId, campaignId)).toBe(id);
    const { id: further } = await codes.addCampaign(tenantId);
    expect(await begin({ campaignId: further, idempotencyKey: 'file' })).toBe('IDEMPOTENCY_KEY_REUSED');
    const headless = codes.codeImports.run(tenantId, id, sent(['ABCD1234,1', 'ABCD1235,1']));
    expect(await refusalOf(headless)).toBe('IMPORT_HEADER_MISSING');
    expect(await refusalOf(codes.codeImports.run(tenantId, '4711', sent([])))).toBe('IMPORT_NOT_FOUND');
  });

  it('makes codes that are redeemed, each by the user it is for', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId } = await seedCampaign(world, tenant, 1);
    const user = await world.services.users.createUserToken(tenantId, { externalUserId: 'shop-17' });
    const other = await seedUser(world, tenantId);
    const { id } = await world.services.codeImports.begin(tenantId, { campaignId, idempotencyKey: 'k' });
    const lines = ['external_user_id;code', 'shop-17;LEGACY-0001', ';LEGACY-0002', 'nobody;LEGACY-0003'];
    const done = await world.services.codeImports.run(tenantId, id, sent(lines));
    expect([done.imported, done.refused]).toEqual([2, 1]);
    expect(outcomeOf(await redeem(world, tenantId, other, 'legacy 0001'))).toBe('CODE_NOT_YOURS');
    expect(outcomeOf(await redeem(world, tenantId, user.userId, 'legacy 0001'))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, tenantId, other, 'LEGACY0002'))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, tenantId, other, 'LEGACY0003'))).toBe('CODE_NOT_FOUND');
  });
});

describe('X.12 export of codes', () => {
  const textOf = async (parts: AsyncIterable<string>): Promise<string> => {
    let text = '';
    for await (const part of parts) text += part;
    return text;
  };

  it('comes in pages, in order, and can be imported by another tenant', async () => {
    const { tenantId, campaignId } = await campaignOf();
    await codes.generation.generate(tenantId, { campaignId, count: 4100 });
    const csv = await textOf(codes.codeExports.csv(await codes.codeExports.find(tenantId, { campaignId })));
    const lines = csv.split('\r\n').slice(0, -1);
    expect(lines).toHaveLength(4101);
    const { codes: rows } = await codes.state(tenantId);
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(rows.map(({ codeText }) => codeText));
    const other = await campaignOf();
    const id = await importing(other.tenantId, other.campaignId);
    const done = await codes.codeImports.run(other.tenantId, id, sent(lines));
    expect([done.imported, done.refused]).toEqual([4100, 0]);
  });

  it('marks cells that a spreadsheet would run', async () => {
    const tenantId = await codes.addTenant();
    const rule = ruleOf({ codeType: 'PATTERN', pattern: '-##########' });
    const { id: campaignId } = await codes.addCampaign(tenantId, { rule, initialCodes: 1 });
    const csv = await textOf(codes.codeExports.csv(await codes.codeExports.find(tenantId, { campaignId })));
    expect(csv.split('\r\n')[1]).toMatch(/^'-[A-Z2-9]{10},/);
  });

  it('X.8 shows only the last four of a HASHED campaign', async () => {
    const tenantId = await codes.addTenant();
    const { id: campaignId } = await codes.addCampaign(tenantId, { codeVisibility: 'HASHED' });
    const { codes: shown, batch } = await codes.generation.generate(tenantId, { campaignId, count: 3 });
    const csv = await textOf(
      codes.codeExports.csv(await codes.codeExports.find(tenantId, { batchId: batch.id })),
    );
    for (const code of shown ?? []) {
      expect(csv).not.toContain(code);
      expect(csv).toContain(`,${code.slice(-4)},`);
    }
    expect(
      await textOf(codes.codeExports.texts(await codes.codeExports.find(tenantId, { batchId: batch.id }))),
    ).toBe('');
  });
});
