import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { TenantEvent } from '../../src/tenancy/directory/tenant-event.entity.js';
import {
  campaignsSay,
  consumerOf,
  countRows,
  eventOf,
  openDirectoryWorld,
  tenantRow,
  type DirectoryWorld,
} from '../support/directory-world.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { refusedBy } from '../support/staff-world.js';
import { emOf, seedCampaign, type SeededTenant, type World } from '../support/world.js';

let its: DirectoryWorld;
let world: World;
let api: ProductApi;
let platform: SeededTenant;
beforeAll(async () => {
  its = await openDirectoryWorld();
  [world] = its.worlds;
  api = new ProductApi(world);
  platform = await its.addTenant('PLATFORM');
  for (const each of its.worlds) consumerOf(each).start();
  await settled();
});
beforeEach(() => {
  its.directory.mode = 'ANSWERS';
});
afterAll(async () => {
  for (const each of its?.worlds ?? []) await consumerOf(each).stop();
  await its?.close();
});

/** All events are acknowledged. */
const settled = async (): Promise<void> =>
  vi.waitFor(async () => expect(await its.unacknowledged()).toBe(0), { timeout: 30_000, interval: 20 });

/** What making a campaign without codes comes to. */
async function newCampaign({ tenantId, planId }: SeededTenant, by = world): Promise<string> {
  const rewardRules = [{ type: 'SUBSCRIPTION', id: planId }];
  const rule = { ruleId: 'test', codeType: 'ALPHANUM', length: 16, rewardRules };
  return refusedBy(by.services.campaigns.create(tenantId, { name: 'Test campaign', rule }));
}

/** How many events both workers have applied. */
async function applied(): Promise<number> {
  const counts = await Promise.all(
    its.worlds.map(async ({ services }) => {
      const { values } = await services.metrics.directoryEvents.get();
      return values.find(({ labels }) => labels.outcome === 'APPLIED')?.value ?? 0;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

interface Letter {
  readonly id: string;
  readonly event: string;
  readonly fault: string;
  readonly message: string;
  readonly attempts: number;
}

async function letters(tenantId = platform.tenantId): Promise<Letter[]> {
  const asked = '{ tenantEventLetters(size: 500) { items { id event fault message attempts } } }';
  const { data, errors } = await api.ask(staffOf(tenantId, 'AUDITOR'), asked);
  expect(errors).toEqual([]);
  const { items } = (data['tenantEventLetters'] ?? {}) as { items?: Letter[] };
  return items ?? [];
}

async function redrive(input: object, tenantId = platform.tenantId) {
  const asked = `mutation ($input: RedriveDeadLettersInput!) {
    redriveDeadLetters(input: $input) { redriven errors { code } } }`;
  const { data } = await api.ask(staffOf(tenantId), asked, { input });
  return refusalIn(data['redriveDeadLetters']) ?? data['redriveDeadLetters']?.['redriven'];
}

describe('events of the tenant directory', () => {
  it('S4.16 are applied once each, and never backwards', async () => {
    const tenant = await its.addTenant();
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 1);
    const before = await tenantRow(world, tenantId);
    const newer = its.directory.set(tenantId, { name: 'Renamed', version: 7 });
    await its.publish(eventOf(newer, 'e7'));
    await settled();
    await its.publish(eventOf(newer, 'e7'));
    // The id alone tells that it was applied, whatever else it says now.
    await its.publish(eventOf({ ...newer, name: 'Again', version: 9 }, 'e7'));
    await its.publish(eventOf({ ...newer, name: 'Older', version: 6 }, 'e6'));
    await its.publish(eventOf({ ...newer, name: 'Same version', version: 7 }, 'e7b'));
    await settled();
    const after = await tenantRow(world, tenantId);
    expect(after).toMatchObject({ name: 'Renamed', directoryVersion: 7, version: before.version + 1 });
    expect(await campaignsSay(world, tenantId)).toEqual(['Renamed CHANNEL']);
    const events = await emOf(world, tenantId).find(TenantEvent, {});
    expect(events.map(({ eventId }) => eventId).toSorted()).toEqual(['e6', 'e7', 'e7b']);
  });

  it('S4.16 change type and status at once for all who ask', async () => {
    const tenant = await its.addTenant('PLATFORM');
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 1);
    await its.publish(eventOf(its.directory.set(tenantId, { status: 'DISABLED' })));
    await settled();
    for (const { services } of its.worlds)
      await expect.poll(async () => services.access.refusalOf({ tenantId })).toBe('TENANT_NOT_ACTIVE');
    await its.publish(eventOf(its.directory.set(tenantId, { status: 'ACTIVE', type: 'CHANNEL' })));
    await settled();
    expect(await campaignsSay(world, tenantId)).toEqual(['Test tenant CHANNEL']);
    const asked =
      '{ tenant { type status tenantFieldsStale } campaigns { items { tenantType tenantFieldsStale } } }';
    const { data } = await api.ask(staffOf(tenantId), asked);
    expect(data).toEqual({
      tenant: { type: 'CHANNEL', status: 'ACTIVE', tenantFieldsStale: false },
      campaigns: { items: [{ tenantType: 'CHANNEL', tenantFieldsStale: false }] },
    });
  });

  it('S4.16 make no tenant PLATFORM that is not, by no way; what else they say is taken over', async () => {
    const tenant = await its.addTenant();
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 1);
    const rename = (name: string) => its.directory.set(tenantId, { name, type: 'PLATFORM' });
    await its.publish(eventOf(rename('By an event')));
    await settled();
    expect(await campaignsSay(world, tenantId)).toEqual(['By an event CHANNEL']);
    rename('By an answer');
    expect(await newCampaign(tenant)).toBe('TAKEN');
    expect(await campaignsSay(world, tenantId)).toEqual(['By an answer CHANNEL']);
    rename('By a resync');
    await world.services.directorySync.run();
    expect(await campaignsSay(world, tenantId)).toEqual(['By a resync CHANNEL']);
    expect(await tenantRow(world, tenantId)).toMatchObject({ type: 'CHANNEL', directoryVersion: 4 });
    expect(await world.services.tenants.isPlatform(tenantId)).toBe(false);
  });

  it('S4.16 leave one tenant that runs the installation, whichever of two workers takes which of them', async () => {
    const others = [await its.addTenant('PLATFORM'), await its.addTenant('PLATFORM')];
    const tenants = [platform, ...others];
    const changes = [{ type: 'CHANNEL' }, { status: 'DISABLED' }, { type: 'CHANNEL' }] as const;
    const states = tenants.map(({ tenantId }, at) =>
      its.directory.set(tenantId, { name: 'Gone', ...changes[at] }),
    );
    await Promise.all(
      states.flatMap((state) =>
        its.worlds.map(async ({ services }) => services.tenantEvents.handle(JSON.stringify(eventOf(state)))),
      ),
    );
    const rows = await Promise.all(tenants.map(async ({ tenantId }) => tenantRow(world, tenantId)));
    const running = rows.filter(({ type, status }) => type === 'PLATFORM' && status === 'ACTIVE');
    expect(running).toHaveLength(1);
    await emOf(world, platform.tenantId).nativeUpdate(
      Tenant,
      { id: platform.tenantId },
      { type: 'PLATFORM' },
    );
    its.directory.set(platform.tenantId, { type: 'PLATFORM' });
  });

  it('S4.16 are exact under a race of two workers, with campaigns made meanwhile', async () => {
    const tenants = await Promise.all(Array.from({ length: 3 }, async () => its.addTenant()));
    const versions = Array.from({ length: 12 }, (_, at) => at + 2);
    const versionsOf = async (): Promise<number> => {
      const rows = await Promise.all(tenants.map(async ({ tenantId }) => tenantRow(world, tenantId)));
      return rows.reduce((sum, { version }) => sum + version, 0);
    };
    const [versionsBefore, appliedBefore] = [await versionsOf(), await applied()];
    // Each event twice, in any order; the directory itself, asked for each campaign, still tells the first state.
    const events = tenants.flatMap(({ tenantId }) =>
      versions.map((version) =>
        eventOf({ id: tenantId, name: `Name ${version}`, type: 'CHANNEL', status: 'ACTIVE', version }),
      ),
    );
    const shuffled = [...events, ...events].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const stored = await countRows(world, 'tenant_event');
    const making = tenants.map(async (tenant) => {
      for (let made = 0; made < 6; made += 1) await newCampaign(tenant);
    });
    await Promise.all([...shuffled.map(async (event) => its.publish(event)), ...making]);
    await settled();
    expect((await countRows(world, 'tenant_event')) - stored).toBe(events.length);
    // Campaigns that asked the directory first have applied its first state.
    const byEvents = (await applied()) - appliedBefore;
    const raised = (await versionsOf()) - versionsBefore;
    expect(raised - byEvents).toBeGreaterThanOrEqual(0);
    expect(raised - byEvents).toBeLessThanOrEqual(tenants.length);
    for (const { tenantId } of tenants) {
      expect(await tenantRow(world, tenantId)).toMatchObject({ name: 'Name 13', directoryVersion: 13 });
      expect(await campaignsSay(world, tenantId)).toEqual(['Name 13 CHANNEL']);
    }
  });

  it('S4.16 are not applied where a newer one was waited for', async () => {
    const { tenantId } = await its.addTenant();
    const state = its.directory.set(tenantId);
    const em = emOf(world, tenantId);
    const handle = async (by: World, version: number) =>
      by.services.tenantEvents.handle(
        JSON.stringify(eventOf({ ...state, name: `Name ${version}`, version })),
      );
    await em.begin();
    await em.execute('select id from tenant where id = ? for update', [tenantId]);
    const newer = handle(its.worlds[0], 9);
    await expect.poll(its.waitingForLocks).toBe(1);
    const older = handle(its.worlds[1], 5);
    await expect.poll(its.waitingForLocks).toBe(2);
    await em.rollback();
    expect([await newer, await older]).toEqual(['APPLIED', 'OUTDATED']);
    expect(await tenantRow(world, tenantId)).toMatchObject({ name: 'Name 9', directoryVersion: 9 });
  });

  it('S4.16 of a worker that died are taken over', async () => {
    const { tenantId } = await its.addTenant();
    // An entry that a consumer took and never acknowledged: in one step, faster than the workers that wait.
    const event = eventOf(its.directory.set(tenantId, { name: 'Taken over' }));
    const [place, read] = await its.redis
      .multi()
      .xadd(its.stream, '*', 'event', JSON.stringify(event))
      .xreadgroup('GROUP', 'redeemkit', 'dead', 'COUNT', 100, 'STREAMS', its.stream, '>')
      .exec()
      .then((replies) => (replies ?? []).map(([, reply]) => reply));
    expect(JSON.stringify(read)).toContain(JSON.stringify(place));
    await settled();
    expect((await tenantRow(world, tenantId)).name).toBe('Taken over');
  });

  it('S4.16 that are malformed become dead letters with the reason, and hold up none', async () => {
    const { tenantId } = await its.addTenant();
    const good = its.directory.set(tenantId, { name: 'Good' });
    const bad = [
      ['not JSON', 'The event is not JSON.'],
      [JSON.stringify({ ...eventOf(good), type: 'tenant_sold' }), 'type: '],
      [
        JSON.stringify(eventOf({ ...good, name: 'n'.repeat(65) })),
        'tenant.name: must have at most 64 characters',
      ],
      [JSON.stringify(eventOf({ ...good, version: 0 })), 'tenant.version: must be at least 1'],
      [JSON.stringify(eventOf(good, 'an id with spaces')), 'id: must be 1 to 64 printable characters'],
    ] as const;
    for (const [text] of bad) await its.publish(text);
    await its.redis.xadd(its.stream, '*', 'evnt', 'a field of another name');
    await its.publish(eventOf(good));
    await settled();
    expect((await tenantRow(world, tenantId)).name).toBe('Good');
    const found = await letters();
    expect(found).toHaveLength(bad.length + 1);
    for (const [text, message] of bad) {
      const letter = found.find(({ event }) => event === text);
      expect(letter).toMatchObject({ fault: 'EVENT_MALFORMED', attempts: 1 });
      expect(letter?.message).toContain(message);
    }
    expect(found.some(({ event }) => event === '["evnt","a field of another name"]')).toBe(true);
    expect(await redrive({ tenantEvent: found[0]?.id })).toBe('TENANT_EVENT_NOT_APPLIED');
    expect(await redrive({ tenantEvent: found[0]?.id }, tenantId)).toBe('PLATFORM_TENANT_REQUIRED');
    expect(await redrive({ tenantEvent: '12' })).toBe('DEAD_LETTER_NOT_FOUND');
    expect(await redrive({ tenantEvent: found[0]?.id, all: true })).toBe('ORDER_NO_OR_ALL_REQUIRED');
    expect(await letters()).toHaveLength(found.length);
    expect(await letters(tenantId)).toEqual([]);
  });

  it('S4.16 that fail become dead letters after three attempts, and are redriven', async () => {
    const { tenantId } = await its.addTenant();
    const em = systemEm(world.stores.orm);
    await em.execute(`create trigger fail_for_a_test before update on tenant for each row
      begin if new.name = 'Unlucky' then signal sqlstate '45000' set message_text = 'for a test'; end if; end`);
    const event = eventOf(its.directory.set(tenantId, { name: 'Unlucky' }));
    await its.publish(event);
    await settled();
    expect((await tenantRow(world, tenantId)).name).toBe('Test tenant');
    const found = (await letters()).find(({ event: text }) => text === JSON.stringify(event));
    expect(found).toMatchObject({ fault: 'EVENT_NOT_APPLIED' });
    expect(found?.attempts).toBeGreaterThanOrEqual(3);
    expect(await redrive({ tenantEvent: found?.id })).toBe('TENANT_EVENT_NOT_APPLIED');
    await em.execute('drop trigger fail_for_a_test');
    // Two members of staff at once.
    const outcomes = await Promise.all([redrive({ all: true }), redrive({ tenantEvent: found?.id })]);
    expect(outcomes).toContain(1);
    expect((await tenantRow(world, tenantId)).name).toBe('Unlucky');
    expect((await letters()).some(({ id }) => id === found?.id)).toBe(false);
  });

  it('S4.16 that were lost with Redis are made good by a resync', async () => {
    const tenant = await its.addTenant();
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 1);
    its.directory.set(tenantId, { name: 'Told to none' });
    await its.redis.del(its.stream);
    await expect.poll(async () => (await tenantRow(world, tenantId)).name).toBe('Told to none');
    expect(await campaignsSay(world, tenantId)).toEqual(['Told to none CHANNEL']);
    await its.publish(eventOf(its.directory.set(tenantId, { name: 'Told again' })));
    await expect.poll(async () => (await tenantRow(world, tenantId)).name).toBe('Told again');
  });
});

describe('while the tenant directory', () => {
  const staleOf = async (of: ProductApi, tenantId: string): Promise<unknown> => {
    const asked =
      '{ tenant { name tenantFieldsStale } campaigns { items { tenantName tenantFieldsStale } } }';
    return (await of.ask(staffOf(tenantId), asked)).data;
  };

  it('S4.17 is down, redundant fields are served, and say that they are stale', async () => {
    const tenant = await its.addTenant();
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 1);
    const served = (isStale: boolean) => ({
      tenant: { name: 'Test tenant', tenantFieldsStale: isStale },
      campaigns: { items: [{ tenantName: 'Test tenant', tenantFieldsStale: isStale }] },
    });
    expect(await staleOf(api, tenantId)).toEqual(served(false));
    its.directory.mode = 'FAILS';
    // Three attempts each; the breaker opens with the fifth, and refuses without a request.
    expect(await newCampaign(tenant)).toBe('TENANT_DIRECTORY_UNAVAILABLE');
    expect(await newCampaign(tenant)).toBe('TENANT_DIRECTORY_UNAVAILABLE');
    expect(await staleOf(api, tenantId)).toEqual(served(true));
    const { data } = await api.ask(staffOf(tenantId), '{ overview { directory { breaker isStale } } }');
    expect(data['overview']).toEqual({ directory: { breaker: 'OPEN', isStale: true } });
    its.directory.mode = 'ANSWERS';
    await expect.poll(async () => newCampaign(tenant)).toBe('TAKEN');
    expect(await staleOf(api, tenantId)).toMatchObject({ tenant: { tenantFieldsStale: false } });
    expect(await countRows(world, `campaign where tenant_id = '${tenantId}'`)).toBe(2);
  });

  it('S4.17 is down, a campaign is made for the time of grace after its last answer', async () => {
    const [known, unknown] = [await its.addTenant(), await its.addTenant()];
    const [, patient] = its.worlds;
    expect(await newCampaign(known)).toBe('TAKEN');
    its.directory.mode = 'FAILS';
    expect(await newCampaign(known, patient)).toBe('TAKEN');
    expect(await newCampaign(unknown, patient)).toBe('TENANT_DIRECTORY_UNAVAILABLE');
    await systemEm(world.stores.orm).execute(
      'update tenant set directory_checked_at = directory_checked_at - interval 1 hour where id = ?',
      [known.tenantId],
    );
    expect(await newCampaign(known, patient)).toBe('TENANT_DIRECTORY_UNAVAILABLE');
    const patientApi = new ProductApi(patient);
    const stale = { tenant: { tenantFieldsStale: true }, campaigns: { items: [{}, {}] } };
    expect(await staleOf(patientApi, known.tenantId)).toMatchObject(stale);
    its.directory.mode = 'ANSWERS';
    await expect.poll(async () => newCampaign(known, patient)).toBe('TAKEN');
  });

  it.each(['HANGS', 'ODD'] as const)('S4.17 %s, a campaign is not made', async (mode) => {
    const tenant = await its.addTenant();
    expect(await newCampaign(tenant)).toBe('TAKEN');
    its.directory.mode = mode;
    expect(await newCampaign(tenant)).toBe('TENANT_DIRECTORY_UNAVAILABLE');
    its.directory.mode = 'ANSWERS';
    await expect.poll(async () => newCampaign(tenant)).toBe('TAKEN');
    expect(await countRows(world, `campaign where tenant_id = '${tenant.tenantId}'`)).toBe(2);
  });

  it('has a state that cannot be read, or fails, all others are taken over and the breaker stays closed', async () => {
    const [odd, failing, good] = [await its.addTenant(), await its.addTenant(), await its.addTenant()];
    its.directory.set(odd.tenantId, { name: 'n'.repeat(65) });
    its.directory.set(failing.tenantId, { name: 'Cursed' });
    its.directory.set(good.tenantId, { name: 'Good' });
    const em = systemEm(world.stores.orm);
    await em.execute(`create trigger fail_for_a_test before update on tenant for each row
      begin if new.name = 'Cursed' then signal sqlstate '45000' set message_text = 'for a test'; end if; end`);
    await expect(world.services.directorySync.run()).rejects.toThrow('for a test');
    await em.execute('drop trigger fail_for_a_test');
    const rowOf = async ({ tenantId }: SeededTenant) => tenantRow(world, tenantId);
    expect(await rowOf(good)).toMatchObject({ name: 'Good', directoryCheckedAt: expect.any(Date) as Date });
    expect(await rowOf(failing)).toMatchObject({ name: 'Test tenant', directoryCheckedAt: null });
    expect(await rowOf(odd)).toMatchObject({ name: 'Test tenant', directoryCheckedAt: null });
    for (let asked = 0; asked < 6; asked += 1) expect(await newCampaign(odd)).not.toBe('TAKEN');
    expect(await newCampaign(good)).toBe('TAKEN');
    its.directory.set(odd.tenantId, { name: 'Short' });
  });

  it('knows better than an event that is late, a campaign is made by what it says', async () => {
    const tenant = await its.addTenant();
    const { tenantId } = tenant;
    its.directory.set(tenantId, { name: 'Now' });
    expect(await newCampaign(tenant)).toBe('TAKEN');
    expect(await campaignsSay(world, tenantId)).toEqual(['Now CHANNEL']);
    its.directory.set(tenantId, { status: 'DISABLED' });
    expect(await newCampaign(tenant)).toBe('TENANT_NOT_ACTIVE');
    its.directory.tenants.delete(tenantId);
    expect(await newCampaign(tenant)).toBe('TENANT_NOT_FOUND');
  });

  it('owns names and statuses, staff cannot change them here', async () => {
    const { tenantId } = await its.addTenant();
    const update = world.services.tenantChanges;
    expect(await refusedBy(update.update(tenantId, { name: 'Ours' }))).toBe('TENANT_OWNED_BY_DIRECTORY');
    expect(await refusedBy(update.update(tenantId, { status: 'DISABLED' }))).toBe(
      'TENANT_OWNED_BY_DIRECTORY',
    );
    expect(await refusedBy(update.update(tenantId, { codeQuota: 5 }))).toBe('TAKEN');
    expect(await tenantRow(world, tenantId)).toMatchObject({ name: 'Test tenant', codeQuota: 5 });
  });
});
