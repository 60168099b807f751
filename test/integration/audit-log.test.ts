import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { present } from '../../src/platform/assert.js';
import type { Actor } from '../../src/graphql/actor.js';
import { Facility } from '../../src/money/facility.entity.js';
import { Session } from '../../src/identity/sessions/session.entity.js';
import { duringOperation } from '../../src/platform/recording/current-operation.js';
import { detailsIn, entriesOf, findingsOf } from '../support/audit.js';
import { failAt, loseNextCommit, statementCount } from '../support/failing-statements.js';
import { seedKey } from '../support/partners.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { PASSWORD, seedStaff } from '../support/staff-world.js';
import {
  emOf,
  openWorld,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  type SeededTenant,
  type World,
} from '../support/world.js';

const AT_ONCE = 50;
const CREATE = `mutation ($input: CreateFacilityInput!) { createFacility(input: $input) { facility { id } errors { code } } }`;
const UPDATE = `mutation ($input: UpdateFacilityInput!) { updateFacility(input: $input) { errors { code } } }`;
const CURRENCY =
  'mutation ($input: CreateCurrencyInput!) { createCurrency(input: $input) { errors { code } } }';
const ADJUST = 'mutation ($input: AdjustBalanceInput!) { adjustBalance(input: $input) { errors { code } } }';
const POOL = 'mutation ($input: SetCodePoolInput!) { setCodePool(input: $input) { errors { code } } }';
const GENERATE =
  'mutation ($input: GenerateCodesInput!) { generateCodes(input: $input) { errors { code } } }';
const LOG = `query ($filter: AuditFilterInput, $size: Int, $after: ID) { auditLog(filter: $filter, size: $size, after: $after) {
  total next items { id operation actorKind actorId actorRole ip requestId targetType targetId input rows
    changes { table rowId before after } } } }`;
const SIGN_IN = 'mutation ($input: SignInStaffInput!) { signInStaff(input: $input) { errors { code } } }';
const REFRESH =
  'mutation ($input: RefreshStaffSessionInput!) { refreshStaffSession(input: $input) { staff { email } errors { code } } }';
const ENTRY = 'query ($id: ID!) { auditEntry(id: $id) { id operation digest previous } }';

let world: World;
let other: World;
let api: ProductApi;
let otherApi: ProductApi;
beforeAll(async () => {
  [world, other] = await Promise.all([openWorld(), openWorld()]);
  api = new ProductApi(world);
  otherApi = new ProductApi(other);
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));
afterEach(() => vi.restoreAllMocks());

async function facility(tenantId: string, name = 'Shop'): Promise<string> {
  const { data } = await api.ask(staffOf(tenantId), CREATE, { input: { name } });
  const { id } = (data['createFacility']?.['facility'] ?? {}) as { id?: string };
  return present(id, 'A facility');
}
const rename = async (tenantId: string, facilityId: string, name: string, by = api) =>
  by.ask(staffOf(tenantId), UPDATE, { input: { facilityId, name } });
const nameOf = async (tenantId: string, id: string) =>
  (await emOf(world, tenantId).findOneOrFail(Facility, { id })).name;

interface Page {
  readonly total: number;
  readonly next: string | null;
  readonly items: readonly Record<string, unknown>[];
}
async function list(actor: Actor, variables: Record<string, unknown> = {}): Promise<Page> {
  const { data, errors } = await api.ask(actor, LOG, variables);
  expect(errors).toEqual([]);
  return data['auditLog'] as unknown as Page;
}

describe('X.10 the audit log', () => {
  it('tells who has changed what, from where, before and after', async () => {
    const { tenantId } = await seedTenant(world);
    const id = await facility(tenantId);
    await rename(tenantId, id, 'Store');
    const { items, total } = await list(staffOf(tenantId, 'AUDITOR'));
    expect(total).toBe(2);
    const by = { actorKind: 'STAFF', actorId: 'eve', actorRole: 'OWNER', ip: '127.0.0.1', requestId: 'r' };
    const of = { ...by, targetType: 'facility', targetId: id, rows: { facility: 1 } };
    expect(items).toEqual([
      {
        ...of,
        id: '2',
        operation: 'updateFacility',
        input: { facilityId: id, name: 'Store' },
        changes: [
          {
            table: 'facility',
            rowId: id,
            before: { name: 'Shop', version: 1 },
            after: { name: 'Store', version: 2 },
          },
        ],
      },
      {
        ...of,
        id: '1',
        operation: 'createFacility',
        input: { name: 'Shop' },
        changes: [
          {
            table: 'facility',
            rowId: id,
            before: null,
            after: expect.objectContaining({ name: 'Shop' }) as object,
          },
        ],
      },
    ]);
  });

  it('is listed by actor, operation, target and time, page after page, and read by id', async () => {
    const { tenantId } = await seedTenant(world);
    const auditor = staffOf(tenantId, 'AUDITOR');
    const first = await facility(tenantId);
    const second = await facility(tenantId);
    await rename(tenantId, first, 'Store');
    const ids = async (filter: Record<string, unknown>) =>
      (await list(auditor, { filter })).items.map(({ id }) => id);
    expect(await ids({ operation: 'createFacility' })).toEqual(['2', '1']);
    expect(await ids({ targetId: first })).toEqual(['3', '1']);
    expect(await ids({ targetType: 'facility', targetId: second })).toEqual(['2']);
    expect(await ids({ actorId: 'eve' })).toEqual(['3', '2', '1']);
    expect(await ids({ actorId: 'bob' })).toEqual([]);
    const [, middle] = await entriesOf(world, tenantId);
    const createdAt = middle?.createdAt.toISOString();
    expect(await ids({ from: createdAt })).toContain('2');
    expect(await ids({ before: createdAt })).not.toContain('2');
    const page = await list(auditor, { size: 2 });
    expect([page.total, page.next, page.items.map(({ id }) => id)]).toEqual([3, '2', ['3', '2']]);
    expect((await list(auditor, { size: 2, after: page.next })).items.map(({ id }) => id)).toEqual(['1']);
    const entry = async (actor: Actor, id: string) =>
      (await api.ask(actor, ENTRY, { id })).data['auditEntry'];
    expect(await entry(auditor, '2')).toMatchObject({ id: '2', operation: 'createFacility' });
    expect(await entry(auditor, '4')).toBeNull();
    const { tenantId: strange } = await seedTenant(world);
    expect(await entry(staffOf(strange), '2')).toBeNull();
    expect((await list(staffOf(strange))).total).toBe(0);
  });

  it('is for OWNER and AUDITOR, and for no one else', async () => {
    const { tenantId } = await seedTenant(world);
    const userId = await seedUser(world, tenantId);
    for (const actor of [staffOf(tenantId, 'OPERATOR'), { kind: 'USER', tenantId, userId } as const]) {
      expect((await api.ask(actor, LOG)).errors).toEqual(['FORBIDDEN']);
      expect((await api.ask(actor, ENTRY, { id: '1' })).errors).toEqual(['FORBIDDEN']);
    }
    expect((await list(staffOf(tenantId, 'OWNER'))).total).toBe(0);
  });

  it(`chains ${AT_ONCE} changes at once by two processes without a gap, one entry for each`, async () => {
    const { tenantId } = await seedTenant(world);
    const ids = await Promise.all(Array.from({ length: 5 }, async () => facility(tenantId)));
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_none, at) =>
        rename(tenantId, ids[at % ids.length] ?? '', `Name ${at}`, at % 2 === 0 ? api : otherApi),
      ),
    );
    expect(answers.flatMap(({ data, errors }) => [...errors, refusalIn(data['updateFacility'])])).toEqual(
      answers.map(() => undefined),
    );
    const entries = await entriesOf(world, tenantId);
    expect(entries.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: ids.length + AT_ONCE }, (_none, at) => at + 1),
    );
    expect(await findingsOf(world, tenantId)).toEqual([]);
    // The entries of one row tell its whole history: each begins where the one before it ended.
    for (const id of ids) {
      const changes = entries
        .filter(({ targetId }) => targetId === id)
        .map((entry) => detailsIn(entry)?.changes[0]);
      const names = (when: 'before' | 'after') => changes.map((change) => change?.[when]?.['name']);
      expect(names('before').slice(1)).toEqual(names('after').slice(0, -1));
    }
  });

  it('shows of changes at once the value before each, also where no service has locked the row', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenantId);
    const facilityId = await facility(tenantId);
    const ask = async (mutation: string, input: Record<string, unknown>, by: ProductApi) =>
      by.ask(staffOf(tenantId), mutation, { input });
    await ask(CURRENCY, { code: 'EUR', name: 'Euro', scale: 2 }, api);
    await ask(POOL, { campaignId, size: 0 }, api);
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_none, at) => {
        const by = at % 2 === 0 ? api : otherApi;
        const account = { userId, facilityId, currency: 'EUR', amount: '1', remark: 'R', orderId: `a-${at}` };
        if (at % 3 === 0) return ask(ADJUST, account, by);
        if (at % 3 === 1) return ask(GENERATE, { campaignId, count: 1 }, by);
        return ask(POOL, { campaignId, size: at }, by);
      }),
    );
    expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
    const changes = (await entriesOf(world, tenantId)).flatMap((entry) => detailsIn(entry)?.changes ?? []);
    const history = (table: string, column: string) => {
      const own = changes.filter((change) => change.table === table && change.after?.[column] !== undefined);
      const values = own.map(({ before, after }) => [before?.[column] ?? null, after?.[column]]);
      expect(values.slice(1).map(([before]) => before)).toEqual(
        values.slice(0, -1).map(([, after]) => after),
      );
      return values.length;
    };
    expect(history('money_account', 'balance')).toBe(10);
    expect(history('tenant', 'codesIssued')).toBe(10);
    expect(history('code_pool', 'size')).toBe(11);
  });

  it('stands or falls with the change, whichever statement fails', async () => {
    const { tenantId } = await seedTenant(world);
    const id = await facility(tenantId);
    const statements = await statementCount(world, async () => rename(tenantId, id, 'Counted'));
    expect(statements).toBeGreaterThan(6);
    for (let place = 1; place <= statements; place += 1) {
      failAt(world, place);
      const { errors } = await rename(tenantId, id, `Failed ${place}`);
      vi.restoreAllMocks();
      expect([place, errors]).toEqual([place, ['It was made to fail.']]);
      expect(await nameOf(tenantId, id)).toBe('Counted');
      expect(await entriesOf(world, tenantId)).toHaveLength(2);
    }
    await rename(tenantId, id, 'Done');
    expect(await entriesOf(world, tenantId)).toHaveLength(3);
    expect(await findingsOf(world, tenantId)).toEqual([]);
  });

  it.each([true, false])(
    'is there where the change is after a COMMIT without a verdict (%s)',
    async (isApplied) => {
      const { tenantId } = await seedTenant(world);
      const id = await facility(tenantId);
      loseNextCommit(world, { isApplied });
      await rename(tenantId, id, 'Store');
      expect(await nameOf(tenantId, id)).toBe(isApplied ? 'Store' : 'Shop');
      expect(await entriesOf(world, tenantId)).toHaveLength(isApplied ? 2 : 1);
      expect(await findingsOf(world, tenantId)).toEqual([]);
    },
  );

  it('names the session that a sign-in has opened, where its transaction ran twice', async () => {
    const { tenantId } = await seedTenant(world);
    const { staffId } = await seedStaff(world, tenantId);
    const account = present(await world.services.staff.find(tenantId, staffId), 'The account');
    loseNextCommit(world, { isApplied: false });
    const operation = { name: 'signIn', by: null, ip: null, requestId: null, input: null };
    await duringOperation({ ...operation, onUnrecorded: () => undefined }, async () =>
      world.services.staffSignIns.openProven(account, null),
    );
    const { id } = await emOf(world, tenantId).findOneOrFail(Session, { subjectId: staffId });
    expect(await entriesOf(world, tenantId)).toMatchObject([{ actorId: staffId, credentialId: id }]);
  });

  it.each(["update audit_entry set actor_id = 'x'", 'delete from audit_entry'])(
    'is not changed by anyone: %s',
    async (statement) => {
      const { tenantId } = await seedTenant(world);
      await facility(tenantId);
      const refused = emOf(world, tenantId).execute(`${statement} where tenant_id = ?`, [tenantId]);
      await expect(refused).rejects.toThrow('Rows of audit_entry are never changed.');
      expect(await findingsOf(world, tenantId)).toEqual([]);
    },
  );

  it('has no entry of a refusal, nor of a query', async () => {
    const { tenantId } = await seedTenant(world);
    const id = await facility(tenantId);
    const input = { facilityId: id, name: 'Store', expectedVersion: 9 };
    const { data } = await api.ask(staffOf(tenantId), UPDATE, { input });
    expect(refusalIn(data['updateFacility'])).toBe('VERSION_CONFLICT');
    await api.ask(staffOf(tenantId), '{ facilities { total } }');
    expect(await entriesOf(world, tenantId)).toHaveLength(1);
  });

  it('has one entry of the refused sign-ins of an account within a minute, and none of an account that is not there', async () => {
    const { tenantId } = await seedTenant(world);
    const { staffId, email } = await seedStaff(world, tenantId);
    const signIn = async (as: string, password: string, at = 0) =>
      refusalIn(
        (
          await (at % 2 === 0 ? api : otherApi).ask(null, SIGN_IN, {
            input: { tenantId, email: as, password },
          })
        ).data['signInStaff'],
      );
    const tries = Array.from({ length: 8 }, async (_, at) =>
      signIn(at < 6 ? email : 'nobody@example.com', `wrong wrong ${at}`, at),
    );
    expect(new Set(await Promise.all(tries))).toEqual(new Set(['SIGN_IN_REFUSED']));
    await expect.poll(async () => entriesOf(world, tenantId)).toHaveLength(1);
    expect(await signIn(email, PASSWORD)).toBeUndefined();
    const [refused, ...others] = await entriesOf(world, tenantId);
    expect(refused).toMatchObject({
      operation: 'signInStaff refused',
      actorKind: 'STAFF',
      actorId: staffId,
      actorRole: null,
      credentialId: null,
      ip: '127.0.0.1',
      targetType: 'staff',
      targetId: staffId,
    });
    expect(JSON.stringify(detailsIn(refused))).not.toContain('wrong wrong');
    expect(others.map(({ operation }) => operation)).toEqual(['signInStaff']);
    expect(await findingsOf(world, tenantId)).toEqual([]);
  });

  it('has no entry of a refresh, with any token that is sent along', async () => {
    const { tenantId } = await seedTenant(world);
    const { email } = await seedStaff(world, tenantId);
    const { refreshToken } = await world.services.staffSignIns.signIn({
      tenantId,
      email,
      password: PASSWORD,
      ip: '',
    });
    const foreign = (await seedTenant(world)).tenantId;
    const { data } = await api.ask(staffOf(foreign), REFRESH, { input: { refreshToken } });
    expect(data['refreshStaffSession']).toMatchObject({ staff: { email }, errors: [] });
    expect([await entriesOf(world, tenantId), await entriesOf(world, foreign)]).toEqual([[], []]);
  });

  it('has one entry with a summary of a bulk change, within its bound', async () => {
    const tenant: SeededTenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId } = await seedCampaign(world, tenant, 1);
    await api.ask(staffOf(tenantId), GENERATE, { input: { campaignId, count: 3000 } });
    const [entry, ...others] = await entriesOf(world, tenantId);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ operation: 'generateCodes', targetType: 'code_batch' });
    expect(detailsIn(entry)).toMatchObject({
      input: { campaignId, count: 3000 },
      rows: { code: 3000, code_batch: 1 },
    });
    expect(entry?.details.length).toBeLessThan(16_000);
  });

  it('has no entry of what users and the servers of partners for their users do', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const { partnerId, keyId } = await seedKey(world, tenantId);
    const partner: Actor = {
      kind: 'PARTNER',
      tenantId,
      partnerId,
      keyId,
      scopes: ['redeem', 'codes:generate'],
      productCodes: null,
    };
    const TOKEN = `mutation { createUserToken(input: { externalUserId: "u", tags: ["a"] }) { userId errors { code } } }`;
    const { data } = await api.ask(partner, TOKEN);
    const userId = String(data['createUserToken']?.['userId']);
    expect((await redeem(world, tenantId, userId, codes[0] ?? '')).status).toBe('COMMITTED');
    expect(await entriesOf(world, tenantId)).toEqual([]);
  });

  it('tells a partner from staff, by its key', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId } = await seedCampaign(world, tenant, 1);
    const { partnerId, keyId } = await seedKey(world, tenantId);
    const partner: Actor = {
      kind: 'PARTNER',
      tenantId,
      partnerId,
      keyId,
      scopes: ['codes:generate'],
      productCodes: null,
    };
    const input = { campaignId, count: 2 };
    expect((await api.ask(partner, GENERATE, { input })).errors).toEqual([]);
    expect(await entriesOf(world, tenantId)).toMatchObject([
      { actorKind: 'PARTNER', actorId: partnerId, credentialId: keyId, actorRole: null },
    ]);
  });
});
