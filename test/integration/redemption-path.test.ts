import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestContext } from '../../src/graphql/context.js';
import { createLog } from '../../src/platform/observability/log.js';
import { RedemptionResolver } from '../../src/redemption/redeem/redemption.resolver.js';
import { filesRun } from '../support/files-run.js';
import { openWorld, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

const FILES_MAX = 25;
/** Of other features, which are asked and answer. */
const FEATURE_FILES_MAX = 28;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

/** Of the first redemption of a tenant: no cache holds anything, so that the count depends on no clock. */
async function filesOfRedemption(): Promise<string[]> {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, 1);
  const userId = await seedUser(world, tenantId);
  const resolver = world.app.resolvers.find((each) => each instanceof RedemptionResolver);
  const context: RequestContext = {
    requestId: 'path',
    actor: { kind: 'USER', tenantId, userId },
    access: world.services.access,
    tenantId: null,
    productCode: 'DEMO',
    deviceId: null,
    idempotencyKey: 'path',
    ip: '127.0.0.1',
    log: createLog({ level: 'silent' }),
    events: world.services.feed,
  };
  return filesRun(async () => {
    const payload = await resolver?.redeemCode(context, { code: codes[0] ?? '' });
    expect(payload?.status).toBe('COMMITTED');
  });
}

describe('the path of a redemption that is committed', () => {
  it(`is at most ${FILES_MAX} files of the feature from the resolver to the reply, as docs/architecture.md lists them`, async () => {
    // What timers run meanwhile is hardly in all of them, unless the machine is slow.
    const runs: string[][] = [];
    while (runs.length < 8) runs.push(await filesOfRedemption());
    const files = (runs[0] ?? []).filter((file) => runs.every((run) => run.includes(file)));
    const own = files.filter((file) => file.startsWith('redemption/'));
    const document = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
    const section = /^### The files\n([\s\S]*?)(?=^##)/m.exec(document)?.[1] ?? '';
    const listed = [...section.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file]) => `redemption/${file}`);
    expect(listed.toSorted()).toEqual(own);
    expect(own.length).toBeLessThanOrEqual(FILES_MAX);
    const byTimers = await filesRun(async () => pause(2000));
    const others = files.filter(
      (file) => !/^(?:redemption|graphql|platform|app)\//.test(file) && !byTimers.includes(file),
    );
    expect(others.slice(FEATURE_FILES_MAX)).toEqual([]);
  });
});
