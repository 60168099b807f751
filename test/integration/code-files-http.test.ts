import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { RunningServer } from '../../src/app/server.js';
import { CodeImport, CodeImportPart } from '../../src/codes/files/code-import.entity.js';
import { NO_FILE } from '../../src/codes/files/code-import.service.js';
import { STOPPED_KEPT_DAYS } from '../../src/codes/files/import-file-retention.js';
import type { StaffActor, StaffRole } from '../../src/graphql/actor.js';
import { present } from '../../src/platform/assert.js';
import { createLog } from '../../src/platform/observability/log.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { startApi } from '../support/api-server.js';
import { beginImport, fileRequest, foreignCodes, importState } from '../support/code-files.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { startOwnStores } from '../support/own-stores.js';
import { RawConnection } from '../support/raw-connection.js';
import { PASSWORD, seedStaff } from '../support/staff-world.js';
import { statementsOf } from '../support/statements.js';
import { openWorld, seedCampaign, seedTenant, type World } from '../support/world.js';

const PATIENCE_MS = 60_000;
/** Of a token that expires while a file is read: enough to begin with it on a busy machine. */
const SHORT_S = 6;
const FILE_MAX_BYTES = 100_000;

let world: World;
let server: RunningServer;
const logged: string[] = [];
openBeforeAll(async (closing) => {
  // A worker takes jobs and events of any test that shares its stores.
  const stores = await closing(startOwnStores());
  world = await closing(openWorld({}, stores));
  const bounds = { IMPORT_FILE_MAX_BYTES: String(FILE_MAX_BYTES), HTTP_BODY_LIMIT_BYTES: '2048' };
  const log = createLog({ level: 'info' }, { write: (line) => void logged.push(line) });
  server = await closing(startApi({ ROLE: 'all', ...bounds }, stores, log));
});

async function scene(count = 1) {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { campaignId, codes } = await seedCampaign(world, tenant, count);
  const tokenOf = (role: StaffRole): string =>
    world.services.tokens.sign({ kind: 'STAFF', tenantId, staffId: 's1', role }, 900);
  return { tenantId, campaignId, codes, token: tokenOf('OWNER'), auditor: tokenOf('AUDITOR') };
}

const codeOf = async (reply: Response): Promise<string> =>
  ((await reply.json()) as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code ?? '';

async function finished(token: string, id: string) {
  const giveUp = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const state = await importState(server.address, token, id);
    if (state.finishedAt !== null || state.refusal !== null) return state;
    giveUp.throwIfAborted();
    await pause(50);
  }
}

describe('X.12 a file of codes over HTTP', () => {
  it('is taken whole, read by the worker, and leaves nothing but its codes and its report', async () => {
    const { tenantId, campaignId, token } = await scene();
    const { codeImport } = await beginImport(server.address, token, { campaignId, idempotencyKey: 'k' });
    const id = codeImport?.id ?? '';
    const body = ['code', ...foreignCodes(3000), 'AB'].join('\n');
    const reply = await fileRequest(server.address, token, `/api/imports/${id}`, body);
    expect([reply.status, await reply.json()]).toEqual([202, { importId: id, status: 'ACCEPTED' }]);
    expect(await finished(token, id)).toMatchObject({ imported: 3000, refused: 1, refusal: null });
    const report = await fileRequest(server.address, token, `/api/imports/${id}/refused.csv`);
    expect(await report.text()).toBe('line,reason\r\n3002,CODE_TEXT_NOT_ALLOWED\r\n');
    const em = tenantEm(world.stores.orm, tenantId);
    await vi.waitFor(async () => expect(await em.count(CodeImportPart, {})).toBe(0), {
      timeout: PATIENCE_MS,
    });
    const again = await fileRequest(server.address, token, `/api/imports/${id}`, body);
    expect([again.status, await codeOf(again)]).toEqual([409, 'IMPORT_HAS_FILE']);
  });

  it('stops at the quota, and continues when it is raised', async () => {
    const { tenantId, campaignId, token } = await scene();
    const setQuota = async (codeQuota: number) =>
      tenantEm(world.stores.orm, tenantId).execute('update tenant set code_quota = ? where id = ?', [
        codeQuota,
        tenantId,
      ]);
    await setQuota(1500);
    const input = { campaignId, idempotencyKey: 'k' };
    const { codeImport } = await beginImport(server.address, token, input);
    const id = codeImport?.id ?? '';
    await fileRequest(server.address, token, `/api/imports/${id}`, foreignCodes(2000).join('\n'));
    expect(await finished(token, id)).toMatchObject({ imported: 1000, refusal: 'TENANT_QUOTA_EXCEEDED' });
    await setQuota(0);
    expect((await beginImport(server.address, token, input)).codeImport).toMatchObject({ id, refusal: null });
    expect(await finished(token, id)).toMatchObject({ imported: 2000, refused: 0, refusal: null });
  });

  it('is refused where it is too large, and may be sent again smaller', async () => {
    const { tenantId, campaignId, token } = await scene();
    const { codeImport } = await beginImport(server.address, token, { campaignId, idempotencyKey: 'k' });
    const path = `/api/imports/${codeImport?.id}`;
    const large = await fileRequest(server.address, token, path, foreignCodes(9000).join('\n'));
    expect([large.status, await codeOf(large)]).toEqual([413, 'IMPORT_FILE_TOO_LARGE']);
    expect(await tenantEm(world.stores.orm, tenantId).count(CodeImportPart, {})).toBe(0);
    const small = await fileRequest(server.address, token, path, foreignCodes(10).join('\n'));
    expect(small.status).toBe(202);
    expect(await finished(token, codeImport?.id ?? '')).toMatchObject({ imported: 10 });
  });

  it('is stored encrypted until it is read', async () => {
    const { tenantId, campaignId, token } = await scene();
    const { codeImport } = await beginImport(server.address, token, { campaignId, idempotencyKey: 'k' });
    const id = codeImport?.id ?? '';
    // Without a job nothing reads it.
    const uploads = world.services.codeUploads;
    const file = Readable.from([Buffer.from('SECRETCODE1\nSECRETCODE2\n')]);
    const state = await uploads.store(tenantId, id, file);
    const [part] = await tenantEm(world.stores.orm, tenantId).find(CodeImportPart, {});
    expect(Buffer.from(part?.body ?? []).includes('SECRETCODE')).toBe(false);
    // Of a file that an older version has stored, nothing says how many parts there are.
    for (const { parts } of [state, { parts: null }]) {
      let text = '';
      for await (const bytes of uploads.read({ ...state, parts })) text += Buffer.from(bytes).toString();
      expect(text).toBe('SECRETCODE1\nSECRETCODE2\n');
    }
  });

  it('stops where a part of it is missing, takes nothing for the end of it, and continues when it is sent again', async () => {
    const { tenantId, campaignId, token } = await scene();
    const { codeImport } = await beginImport(server.address, token, { campaignId, idempotencyKey: 'k' });
    const id = codeImport?.id ?? '';
    const { codeUploads, codeImportJobs } = world.services;
    const lines = ['code,note', ...foreignCodes(400).map((code) => `${code},${'x'.repeat(1000)}`)];
    const file = () => Readable.from(lines.map((line) => Buffer.from(`${line}\n`)));
    const stored = await codeUploads.store(tenantId, id, file());
    expect(stored.parts).toBe(2);
    await tenantEm(world.stores.orm, tenantId).nativeDelete(CodeImportPart, { partNo: 1 });
    await codeImportJobs.enqueue(stored);
    const stopped = { imported: 0, refusal: 'IMPORT_FILE_MISSING', finishedAt: null };
    expect(await finished(token, id)).toMatchObject(stopped);
    await codeImportJobs.enqueue(await codeUploads.store(tenantId, id, file()));
    expect(await finished(token, id)).toMatchObject({ imported: 400, refused: 0, refusal: null });
  });

  it('loses the parts of an upload that died beside it, and keeps its own', async () => {
    const { tenantId, campaignId, token } = await scene();
    const { codeImport } = await beginImport(server.address, token, { campaignId, idempotencyKey: 'k' });
    const id = codeImport?.id ?? '';
    const uploads = world.services.codeUploads;
    const { uploadId } = await uploads.store(tenantId, id, Readable.from([Buffer.from('FOREIGNCODE1\n')]));
    const em = tenantEm(world.stores.orm, tenantId);
    // A process that is killed in the middle of its upload leaves this behind.
    await em.insert(CodeImportPart, {
      tenantId,
      importId: id,
      uploadId: '1',
      partNo: 0,
      body: Buffer.from('x'),
    });
    await world.services.importFileRetention.prune();
    const parts = await em.find(CodeImportPart, {}, { disableIdentityMap: true });
    expect(parts.map((part) => part.uploadId)).toEqual([uploadId]);
  });

  it('is deleted seven days after its import has stopped, which continues when it is sent again', async () => {
    const { tenantId, campaignId, token } = await scene();
    const em = () => tenantEm(world.stores.orm, tenantId);
    await em().execute('update tenant set code_quota = 1500 where id = ?', [tenantId]);
    const input = { campaignId, idempotencyKey: 'k' };
    const id = (await beginImport(server.address, token, input)).codeImport?.id ?? '';
    const send = async () =>
      fileRequest(server.address, token, `/api/imports/${id}`, foreignCodes(2000).join('\n'));
    await send();
    expect(await finished(token, id)).toMatchObject({ imported: 1000, refusal: 'TENANT_QUOTA_EXCEEDED' });
    const stoppedFor = async (days: number) => {
      const progressAt = new Date(Date.now() - days * 86_400_000);
      await em().nativeUpdate(CodeImport, { id }, { progressAt });
      await world.services.importFileRetention.prune();
      return em().count(CodeImportPart, {});
    };
    expect(await stoppedFor(STOPPED_KEPT_DAYS - 0.1)).toBe(1);
    expect(await stoppedFor(STOPPED_KEPT_DAYS + 0.1)).toBe(0);
    await em().execute('update tenant set code_quota = 0 where id = ?', [tenantId]);
    const { codeImport } = await beginImport(server.address, token, input);
    expect(codeImport).toMatchObject({ id, linesDone: 1000, refusal: 'IMPORT_FILE_MISSING' });
    expect((await send()).status).toBe(202);
    expect(await finished(token, id)).toMatchObject({ imported: 2000, refused: 0, refusal: null });
  });

  it('stays where its import is let continue at the moment when it would be deleted', async () => {
    const { tenantId, campaignId } = await scene();
    const { codeImports, codeImportJobs, codeUploads } = world.services;
    const { id } = await codeImports.begin(tenantId, { campaignId, idempotencyKey: 'k' });
    const stored = await codeUploads.store(tenantId, id, Readable.from([Buffer.from('FOREIGNCODE1\n')]));
    await codeImports.change(stored, { refusal: 'TENANT_QUOTA_EXCEEDED' });
    const stopped = present(await codeImports.find(tenantId, id), 'The import');
    expect((await codeImportJobs.resume(stopped)).refusal).toBeNull();
    expect(await codeImports.change(stopped, NO_FILE)).toBe(false);
    expect((await codeImports.find(tenantId, id))?.uploadId).toBe(stored.uploadId);
  });

  it('goes with a batch that was cancelled, which is why its import does not continue', async () => {
    const { tenantId, campaignId, token } = await scene();
    const { batchChanges, codeImports, codeImportJobs, codeUploads, importFileRetention } = world.services;
    const { id } = await codeImports.begin(tenantId, { campaignId, idempotencyKey: 'k' });
    const stored = await codeUploads.store(tenantId, id, Readable.from([Buffer.from('FOREIGNCODE1\n')]));
    await batchChanges.cancel(tenantId, id);
    await importFileRetention.prune();
    expect(await tenantEm(world.stores.orm, tenantId).count(CodeImportPart, {})).toBe(0);
    await codeImportJobs.enqueue(stored);
    expect(await finished(token, id)).toMatchObject({ imported: 0, refusal: 'BATCH_CANCELLED' });
  });

  it('goes in pieces where the worker that finished its import died before', async () => {
    const { tenantId, campaignId } = await scene();
    const { codeImports, importFileRetention } = world.services;
    const { id } = await codeImports.begin(tenantId, { campaignId, idempotencyKey: 'k' });
    const em = tenantEm(world.stores.orm, tenantId);
    const part = { tenantId, importId: id, uploadId: '7', body: Buffer.from('x') };
    await em.insertMany(
      CodeImportPart,
      Array.from({ length: 120 }, (_, partNo) => ({ ...part, partNo })),
    );
    await em.nativeUpdate(CodeImport, { id }, { uploadId: '7', parts: 120, finishedAt: new Date() });
    const sent = await statementsOf(world.stores.orm, async () => importFileRetention.prune());
    const pieces = sent.filter(({ query }) => query.startsWith('delete from code_import_part'));
    expect(pieces.filter(({ params }) => params.includes(tenantId))).toHaveLength(3);
    expect(await em.count(CodeImportPart, {})).toBe(0);
  });

  it('is refused to callers without a token, to auditors, and of another tenant', async () => {
    const { campaignId, token, auditor } = await scene();
    const { token: stranger } = await scene();
    const { codeImport } = await beginImport(server.address, token, { campaignId, idempotencyKey: 'k' });
    const path = `/api/imports/${codeImport?.id}`;
    const put = async (who: string | null) => fileRequest(server.address, who, path, 'ABCD1234');
    for (const [who, status, code] of [
      [null, 401, 'UNAUTHENTICATED'],
      ['nonsense', 401, 'UNAUTHENTICATED'],
      [auditor, 403, 'FORBIDDEN'],
      [stranger, 404, 'IMPORT_NOT_FOUND'],
    ] as const) {
      const reply = await put(who);
      expect([reply.status, await codeOf(reply)]).toEqual([status, code]);
    }
    expect(await importState(server.address, token, codeImport?.id ?? '')).toMatchObject({ linesDone: 0 });
  });
});

describe('X.12 export and QR over HTTP', () => {
  it('sends the codes of a campaign as CSV, to staff who may see them', async () => {
    const { campaignId, codes, token, auditor } = await scene(5);
    const path = `/api/codes.csv?campaignId=${campaignId}`;
    const reply = await fileRequest(server.address, token, path);
    expect(reply.headers.get('content-disposition')).toBe('attachment; filename="codes.csv"');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const lines = (await reply.text()).split('\r\n');
    expect(lines.slice(1, -1).map((line) => line.split(',')[0])).toEqual(codes);
    expect((await fileRequest(server.address, auditor, path)).status).toBe(403);
    const both = await fileRequest(server.address, token, `${path}&batchId=1`);
    expect([both.status, await codeOf(both)]).toEqual([400, 'EXPORT_SCOPE_REQUIRED']);
  });

  it('sends nothing of another tenant', async () => {
    const { campaignId } = await scene(5);
    const { token: stranger } = await scene(1);
    const reply = await fileRequest(server.address, stranger, `/api/codes.csv?campaignId=${campaignId}`);
    expect([reply.status, await codeOf(reply)]).toEqual([404, 'EXPORT_SCOPE_NOT_FOUND']);
    const report = await fileRequest(server.address, stranger, '/api/imports/4711/refused.csv');
    expect([report.status, await codeOf(report)]).toEqual([404, 'IMPORT_NOT_FOUND']);
  });

  it('sends a zip of pictures, a sheet, and single pictures', async () => {
    const { tenantId, campaignId, codes, token } = await scene(3);
    const zip = await fileRequest(
      server.address,
      token,
      `/api/codes.qr.zip?campaignId=${campaignId}&format=png`,
    );
    const bytes = Buffer.from(await zip.arrayBuffer());
    expect(zip.headers.get('content-type')).toBe('application/zip');
    for (const code of codes) expect(bytes.includes(`${code}.png`)).toBe(true);
    const sheet = await fileRequest(server.address, token, `/api/codes.qr.html?campaignId=${campaignId}`);
    expect((await sheet.text()).match(/<svg /g)).toHaveLength(3);
    const { items } = await world.services.codeReader.page(tenantId, { campaignId }, { offset: 0, size: 1 });
    const svg = await fileRequest(server.address, token, `/api/codes/${items[0]?.id}/qr.svg`);
    expect([svg.status, svg.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    const none = await fileRequest(server.address, token, '/api/codes/4711/qr.svg');
    expect([none.status, await codeOf(none)]).toEqual([404, 'CODE_NOT_FOUND']);
    const url = encodeURIComponent('https://shop.example/without-a-place');
    const wrong = await fileRequest(server.address, token, `/api/codes/${items[0]?.id}/qr.png?url=${url}`);
    expect([wrong.status, await codeOf(wrong)]).toEqual([400, 'URL_NOT_ALLOWED']);
  });

  it('X.22 goes on when the token of its reader expires, and breaks when the session ends, also where the reader pauses', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    // More than the buffers of a connection hold.
    const { campaignId } = await seedCampaign(world, tenant, 1500);
    const { email } = await seedStaff(world, tenantId, 'OPERATOR');
    const ids = { tenantId, email, password: PASSWORD, ip: '' };
    const { accessToken } = await world.services.staffSignIns.signIn(ids);
    const { tokens, clock } = world.services;
    const shortLived = tokens.sign(tokens.verify(accessToken), SHORT_S);
    const expiredMs = clock.nowMs() + SHORT_S * 1000;
    const url = encodeURIComponent(`https://shop.example/${'r'.repeat(150)}?code={code}`);
    const path = `/api/codes.qr.zip?campaignId=${campaignId}&url=${url}`;
    const reply = await fileRequest(server.address, shortLived, path);
    expect(reply.status).toBe(200);
    const reader = present(reply.body, 'A file has a body.').getReader();
    await reader.read();
    // For a client of HTTP/1.0 a file ends with its connection.
    const old = await RawConnection.open(server.address);
    old.send(`GET ${path} HTTP/1.0\r\nauthorization: Bearer ${accessToken}\r\n\r\n`);
    await old.answers(/ 200 OK[^]*\r\n\r\nPK/);
    old.socket.pause();
    const endOfOld = new Promise((resolve) => {
      old.socket
        .once('end', () => resolve('END'))
        .once('error', ({ code }: { code?: string }) => resolve(code));
    });
    const cut = (): string[] => logged.filter((line) => line.includes('A file was cut'));
    await expect.poll(() => clock.nowMs() > expiredMs, { timeout: PATIENCE_MS }).toBe(true);
    const late = await fileRequest(server.address, shortLived, path);
    expect([late.status, await codeOf(late)]).toEqual([401, 'UNAUTHENTICATED']);
    await reader.read();
    expect(cut()).toEqual([]);
    await world.services.staffSignIns.signOut(tokens.verify(accessToken) as StaffActor, false);
    await expect.poll(cut, { timeout: PATIENCE_MS }).toHaveLength(2);
    const drained = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await expect(drained()).rejects.toThrow('terminated');
    old.socket.resume();
    expect(await endOfOld).toBe('ECONNRESET');
    const again = await fileRequest(server.address, accessToken, path);
    expect([again.status, await codeOf(again)]).toEqual([401, 'SESSION_ENDED']);
  });
});
