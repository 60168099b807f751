import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import type { DemoFile } from '../../src/app/demo.js';
import { PAGE_WAIT_MS, startBrowser } from '../support/browser.js';
import { runSample } from '../support/graphiql.js';
import { startProcess, type RunningProcess } from '../support/processes.js';
import { PATIENT } from '../support/world.js';

/** As after a fresh clone: no address of any server, no secret. */
const dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-newcomer-'));
let running: RunningProcess;
let browser: Browser;
beforeAll(async () => {
  const environment = { ...PATIENT, DATA_DIR: dataDir, JWT_SECRET: '', CODE_PEPPER: '', NODE_ENV: '' };
  [running, browser] = await Promise.all([startProcess({ environment }), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

it('X.26 what README says of the browser: Run redeems a code, and the console shows the redemption', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
  page.setDefaultTimeout(PAGE_WAIT_MS);
  await (await runSample(page, running.url)).getByText('COMMITTED').first().waitFor();
  const demo = JSON.parse(readFileSync(path.join(dataDir, 'demo.json'), 'utf8')) as DemoFile;
  await page.goto(demo.consoleUrl);
  await page.getByRole('link', { name: 'Redemptions', exact: true }).click();
  const rows = page.getByRole('table', { name: 'Redemptions' }).getByRole('row');
  await rows.getByText('Committed').waitFor();
  // The head, and the one redemption.
  expect(await rows.count()).toBe(2);
});
