/**
 * Interactions with the console's list of codes in a browser: the next page, a filter and the order. Each is measured in
 * the page, from the click to the frame that shows the new rows.
 *
 *   npm run bench:console -- --codes 1000000
 */
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { tenantEm } from '../../src/platform/database/orm.js';
import { startBrowser } from '../support/browser.js';
import { generate } from './generation.js';
import { median, rounded } from './statistics.js';
import { Supply } from './supply.js';
import { openBenchWorld, type BenchWorld } from './world.js';

const TENANT = 'CONSOLE';
const INTERACTIONS = 20;
const TARGET_MS = 200;
const LINK_S = 900;
/** One code in a fixed number is disabled, so that the filters find some. */
const ENABLED_TO_DISABLED = 100;
/** Runs in the page. */
const CLICK = `async (button) => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const shown = () => {
    const table = document.querySelector('table');
    return table.tBodies[0].textContent + table.parentElement.nextElementSibling.textContent;
  };
  const before = shown();
  const fromMs = performance.now();
  document.querySelector(button).click();
  while (shown() === before || document.querySelector('table').ariaBusy === 'true') {
    if (performance.now() - fromMs > 30_000) throw new Error('Nothing came of a click on ' + button);
    await frame();
  }
  await frame();
  return performance.now() - fromMs;
}`;
const say = (line: string): void => console.error(line);

const { values } = parseArgs({ options: { codes: { type: 'string', default: '1000000' } } });
const world = await openBenchWorld(say);
try {
  await measure(world, Number(values.codes));
} finally {
  await world.close();
}

async function measure(bench: BenchWorld, codes: number): Promise<void> {
  const supply = await Supply.open(bench, { scarce: 1, expired: 1 }, TENANT);
  const server = await bench.startServer();
  say(`Making ${codes} codes.`);
  await generate(bench, supply, codes);
  await disableSome(bench);
  const { staff } = await bench.services.staff.invite(TENANT, {
    email: 'bench@example.com',
    name: 'Bench',
    role: 'OWNER',
  });
  const token = await bench.services.consoleLinks.create({ tenantId: TENANT, staffId: staff.id }, LINK_S);
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(`${server.address}/console/sign-in#link=${token}`);
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await page.getByRole('link', { name: 'Codes', exact: true }).click();
    await page.getByText(/^1–50 of /).waitFor();
    const times = await interactions(page);
    const all = Object.values(times).flat();
    for (const [name, each] of Object.entries(times)) say(`  ${name}: ${each.join(', ')} ms`);
    const figure = rounded(median(all), 0);
    console.log(
      `console_list_ms: ${figure} (target < ${TARGET_MS}), the worst of ${all.length} ${Math.max(...all)}, with ${codes} codes`,
    );
    process.exitCode = figure < TARGET_MS ? 0 : 1;
  } finally {
    await browser.close();
    await server.stop();
  }
}

async function disableSome({ stores, services }: BenchWorld): Promise<void> {
  await tenantEm(stores.orm, TENANT).execute(
    "update code set status = 'DISABLED', version = version + 1 where tenant_id = ? and id % ? = 0",
    [TENANT, ENABLED_TO_DISABLED],
  );
  await services.codeTotals.recount(TENANT);
}

/** Twenty interactions in a mixed order, as a person would look through a list. */
async function interactions(page: Page): Promise<Record<'next' | 'filter' | 'sort', number[]>> {
  const times = { next: [] as number[], filter: [] as number[], sort: [] as number[] };
  for (let round = 0; round < INTERACTIONS / 4; round += 1) {
    times.next.push(await timed(page, 'button[aria-label="Next page"]'));
    times.sort.push(await timed(page, 'th[aria-sort] button'));
    await page
      .getByRole('combobox', { name: 'Status' })
      .or(page.getByLabel('Status', { exact: true }))
      .first()
      .click();
    const status = round % 2 === 0 ? 'DISABLED' : 'ACTIVE';
    await page.locator(`[role=option][value=${status}]`).waitFor();
    times.filter.push(await timed(page, `[role=option][value=${status}]`));
    times.next.push(await timed(page, 'button[aria-label="Next page"]'));
  }
  return times;
}

/** Clicks within the page, and waits for the frame after the one in which the rows are the new ones. */
async function timed(page: Page, selector: string): Promise<number> {
  return rounded(await page.evaluate<number>(`(${CLICK})(${JSON.stringify(selector)})`), 0);
}
