import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { PAGE_WAIT_MS } from './browser.js';
import type { World } from './world.js';

/** Pictures of the pages, to be looked at after a run. */
const PICTURES = path.resolve('.data/screenshots');
const LINK_S = 600;

/** A browser with nothing of another one, in which a member of staff uses the console. */
export class ConsoleBrowser {
  /** What the pages have complained of: messages of the console, failed requests, exceptions. */
  private readonly complaints: string[] = [];

  readonly page: Page;
  private readonly context: BrowserContext;
  private readonly url: string;

  private constructor(page: Page, context: BrowserContext, url: string) {
    this.page = page;
    this.context = context;
    this.url = url;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('response', (reply) => {
      if (reply.status() >= 400) this.complaints.push(`${reply.status()} ${reply.url()}`);
    });
  }

  /** @param url of the API process that serves the pages */
  static async open(
    browser: Browser,
    url: string,
    settings: Pick<BrowserContextOptions, 'colorScheme' | 'timezoneId'> = {},
  ): Promise<ConsoleBrowser> {
    const viewport = { width: 1280, height: 800 };
    const place = { locale: 'en-GB', timezoneId: 'UTC' };
    // Each frame of an animation is drawn by the processor.
    const look = { viewport, colorScheme: 'light', reducedMotion: 'reduce' } as const;
    const context = await browser.newContext({ ...look, ...place, ...settings });
    context.setDefaultTimeout(PAGE_WAIT_MS);
    return new ConsoleBrowser(await context.newPage(), context, url);
  }

  async goto(page: string): Promise<void> {
    await this.page.goto(`${this.url}/console${page}`);
  }

  /** By a one-time link, to the first page or the one that is named. */
  async signIn({ services }: World, tenantId: string, staffId: string): Promise<void> {
    const token = await services.consoleLinks.create({ tenantId, staffId }, LINK_S);
    await this.goto(`/sign-in#link=${token}`);
    await this.page.getByRole('navigation', { name: 'Pages' }).waitFor();
  }

  /** By the keyboard, into a field that gets the focus by itself, a moment after it is there. */
  async type(field: Locator, text: string): Promise<void> {
    await field.and(this.page.locator(':focus')).waitFor();
    await this.page.keyboard.type(text);
  }

  /**
   * Serious faults of accessibility: each rule with the elements that break it. In the page itself, which has no frames:
   * otherwise each look opens another page.
   */
  async seriousFaults(): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page: this.page })
      .options({ resultTypes: ['violations'] })
      .setLegacyMode()
      .analyze();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  async picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.screenshot({ path: path.join(PICTURES, `${name}.png`), animations: 'disabled' });
  }

  /** A refusal that the test has caused: browsers report each status above 400. */
  forgive(status: number): void {
    const kept = this.complaints.filter((complaint) => !complaint.includes(String(status)));
    this.complaints.splice(0, Infinity, ...kept);
  }

  /** Fails when a page has complained. */
  async close(): Promise<void> {
    await this.context.close();
    if (this.complaints.length > 0) throw new Error(`The pages complain:\n${this.complaints.join('\n')}`);
  }
}
