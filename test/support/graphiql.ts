import type { Locator, Page } from 'playwright-core';

/** Of the operation, its variables and headers, and the answer. */
const EDITORS = 4;

/** Runs the operation with which GraphiQL of a server begins. @returns where its answer is shown */
export async function runSample(page: Page, url: string): Promise<Locator> {
  await page.goto(`${url}/graphiql`);
  // The button is there first, and does nothing until the editors are.
  await page
    .locator('.CodeMirror')
    .nth(EDITORS - 1)
    .waitFor({ state: 'attached' });
  await page.getByRole('button', { name: /^Execute query/ }).click();
  return page.locator('.graphiql-response');
}
