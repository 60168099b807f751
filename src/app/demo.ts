import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Services } from './modules.js';
import type { Campaign } from '../campaigns/campaign.entity.js';
import { DomainError } from '../platform/errors.js';
import type { Logger } from '../platform/observability/log.js';

const TENANT = 'DEMO';
const PRODUCT = 'DEMO';
const CAMPAIGN_KEY = 'demo-campaign';
const CODES_WANTED = 200;
/** The tokens of the file are renewed long before. */
const TOKEN_TTL_S = 3600;
const REFRESH_EVERY_MS = 60_000;
const OWNER = { email: 'owner@demo.example', name: 'Demo Owner', role: 'OWNER' } as const;
/** Long enough to find the line on a terminal. */
const CONSOLE_LINK_TTL_S = 900;

/** What `.data/demo.json` holds, for scripts and for further processes. */
export interface DemoFile extends DemoPlace {
  readonly tenantId: string;
  readonly productCode: string;
  readonly userToken: string;
  readonly staffToken: string;
  readonly campaignId: string;
  /** Signs the browser that opens it in as the owner of the demo, once, and only for some minutes. */
  readonly consoleUrl: string;
  /** Unused ones, at least 100. */
  readonly codes: readonly string[];
}

interface DemoPlace {
  readonly url: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

export interface Demo {
  readonly file: string;
  /** As it stands now: tokens are renewed, and codes get used. */
  content(): DemoFile;
  stop(): void;
}

/** Makes the demo tenant where it is missing, and keeps the file's tokens valid and its codes unused. */
export async function runDemo(
  services: Services,
  file: string,
  place: DemoPlace,
  log: Logger,
): Promise<Demo> {
  const campaignId = await seedDemo(services);
  const renewed = async () => refresh(services, file, place, campaignId);
  let content = await renewed();
  const timer = setInterval(() => {
    renewed().then(
      (refreshed) => (content = refreshed),
      (error: unknown) => log.warn({ err: error }, 'demo file not refreshed'),
    );
  }, REFRESH_EVERY_MS);
  timer.unref();
  return { file, content: () => content, stop: () => clearInterval(timer) };
}

async function seedDemo(services: Services): Promise<string> {
  const { tenants, lines, campaignReader, campaignChanges, currencies, facilities } = services;
  await unlessThere(tenants.create({ id: TENANT, name: 'Demo', type: 'PLATFORM', codeQuota: 0 }));
  await unlessThere(lines.create(TENANT, { code: 'APP_A', name: 'App A', hourLimit: 100, dayLimit: 1000 }));
  await unlessThere(lines.create(TENANT, { code: 'WEB_B', name: 'Web B', hourLimit: 500, dayLimit: 5000 }));
  await unlessThere(
    lines.create(TENANT, { code: PRODUCT, name: 'Demo, no limit', hourLimit: 0, dayLimit: 0 }),
  );
  await unlessThere(currencies.create(TENANT, { code: 'USD', name: 'US dollar', scale: 2 }));
  const { items: places } = await facilities.list(TENANT, { offset: 0, size: 1, isCounted: false }, false);
  if (places.length === 0) await facilities.create(TENANT, { name: 'Main shop' });
  const campaign = (await campaignReader.byKey(TENANT, CAMPAIGN_KEY)) ?? (await makeCampaign(services));
  if (campaign.status === 'DRAFT') await campaignChanges.step(TENANT, campaign.id, 'activate');
  return campaign.id;
}

/** Once; what staff make of the demo afterwards is theirs. */
async function makeCampaign({ plans, campaigns }: Services): Promise<Campaign> {
  const plan = await plans.create(TENANT, {
    name: 'Monthly',
    unitPrice: '9.90',
    unitTime: 'MONTH',
    trafficBytes: 100_000_000_000,
  });
  const { campaign } = await campaigns.create(TENANT, {
    name: 'Welcome',
    idempotencyKey: CAMPAIGN_KEY,
    rule: {
      ruleId: 'demo',
      codeType: 'ALPHANUM',
      length: 16,
      rewardRules: [{ type: 'SUBSCRIPTION', id: plan.id }],
    },
  });
  return campaign;
}

async function refresh(
  services: Services,
  file: string,
  place: DemoPlace,
  campaignId: string,
): Promise<DemoFile> {
  const { users, tokens, generation } = services;
  let codes = await unusedCodes(services, campaignId);
  if (codes.length < CODES_WANTED) {
    await generation.generate(TENANT, { campaignId, count: CODES_WANTED });
    codes = await unusedCodes(services, campaignId);
  }
  const { userId } = await users.createUserToken(TENANT, { externalUserId: 'demo-user' });
  const user = { kind: 'USER', tenantId: TENANT, userId } as const;
  const staff = { kind: 'STAFF', tenantId: TENANT, staffId: 'demo-owner', role: 'OWNER' } as const;
  const content: DemoFile = {
    ...place,
    tenantId: TENANT,
    productCode: PRODUCT,
    userToken: tokens.sign(user, TOKEN_TTL_S, 'BY_OPERATOR'),
    staffToken: tokens.sign(staff, TOKEN_TTL_S, 'BY_OPERATOR'),
    campaignId,
    consoleUrl: await consoleUrl(services, place.url),
    codes,
  };
  await writeWhole(file, `${JSON.stringify(content, null, 2)}\n`);
  return content;
}

/** The token stands behind `#`: browsers keep that part to themselves, so no log of a server holds it. */
async function consoleUrl({ staff, consoleLinks }: Services, url: string): Promise<string> {
  const known = await staff.findByEmail(TENANT, OWNER.email);
  // An account without a password stays INVITED until a link opens it; an invitation that has expired is renewed.
  const { id } = known?.status === 'ACTIVE' ? known : (await staff.invite(TENANT, OWNER)).staff;
  const token = await consoleLinks.create({ tenantId: TENANT, staffId: id }, CONSOLE_LINK_TTL_S);
  return `${url}/console/sign-in#link=${token}`;
}

async function unusedCodes({ codeReader }: Services, campaignId: string): Promise<string[]> {
  const page = { offset: 0, size: CODES_WANTED };
  const { items } = await codeReader.page(TENANT, { campaignId, status: 'ACTIVE' }, page);
  return items.map((code) => code.codeText).filter((text): text is string => typeof text === 'string');
}

/** Readers see the old file or the new one, never a half. It holds tokens, so it is the owner's alone. */
async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

const THERE_ALREADY = new Set(['TENANT_EXISTS', 'PRODUCT_LINE_EXISTS', 'CURRENCY_EXISTS']);

async function unlessThere(making: Promise<unknown>): Promise<void> {
  try {
    await making;
  } catch (error) {
    if (error instanceof DomainError && THERE_ALREADY.has(String(error.code))) return;
    throw error;
  }
}
