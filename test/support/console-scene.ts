import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startBrowser } from './browser.js';
import { standingCluster, type Cluster } from './cluster.js';
import { ConsoleBrowser } from './console-browser.js';
import { graphqlRequest } from './graphql-client.js';
import { withLagOf, type Lagged } from './lag.js';
import { seedStaff, type SeededStaff } from './staff-world.js';
import { seedTenant, type SeededTenant } from './world.js';

/** What each test of the console has to begin with. */
interface ConsoleScene {
  browser: Browser;
  cluster: Cluster;
  /** A new one for each test, with its owner, who is not signed in yet. */
  tenant: SeededTenant;
  owner: SeededStaff;
  console: ConsoleBrowser;
  /** As the owner. */
  readonly signIn: () => Promise<void>;
  /** Work, and how late servers and page are meanwhile: bounds of what is live allow for twice as much. */
  readonly withLag: <T>(work: () => Promise<T>) => Promise<Lagged<T>>;
}

/** Opens a browser for the tests of a file, and the console for each of them. */
export function consoleScene(): ConsoleScene {
  const scene = {
    signIn: async () => {
      const { console, cluster, tenant, owner } = scene;
      await console.signIn(cluster.world, tenant.tenantId, owner.staffId);
    },
    withLag: async <T>(work: () => Promise<T>) => {
      const { cluster, console } = scene;
      const servers = cluster.urls.map((url) => async () => graphqlRequest(url, { query: '{ __typename }' }));
      return withLagOf([...servers, async () => console.page.evaluate('0')], work);
    },
  } as ConsoleScene;
  beforeAll(async () => {
    [scene.browser, scene.cluster] = await Promise.all([startBrowser(), standingCluster()]);
  });
  beforeEach(async () => {
    const { world, urls } = scene.cluster;
    scene.tenant = await seedTenant(world);
    scene.owner = await seedStaff(world, scene.tenant.tenantId);
    scene.console = await ConsoleBrowser.open(scene.browser, urls[0]);
  });
  afterEach(async () => scene.console?.close());
  afterAll(async () => {
    await scene.browser?.close();
    await scene.cluster?.close();
  });
  return scene;
}
