import type { Services } from '../../src/app/modules.js';
import type { CreateCampaign } from '../../src/campaigns/campaign-input.js';
import { CODES_AT_ONCE_MAX } from '../../src/campaigns/campaign-rule.js';
import { Code } from '../../src/codes/code.entity.js';
import { formatOf } from '../../src/codes/code-format.js';
import { CodeGenerator } from '../../src/codes/code-generator.js';
import { present } from '../../src/platform/assert.js';
import { insertRows } from '../../src/platform/database/insert-rows.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import type { BenchWorld } from './world.js';

export const TENANT = 'BENCH';
/** A tenant that does little, beside one that does much. */
export const QUIET_TENANT = 'QUIET';
export const PRODUCT = 'BENCH';
/** By which a tenant's devices encrypt. */
export const ENVELOPE_KEY = { keyId: 'bench', secret: 'bench-envelope-secret'.repeat(2) } as const;
const USERS_AT_ONCE = 5000;
/** As many as there are connections at most. */
const REGULARS = 256;
const HOT_LIMIT = 10_000_000;
export const SCARCE_LIMIT = 3;
const TOKEN_TTL_S = 900;
const RULE = { ruleId: 'bench', codeType: 'ALPHANUM', length: 16 } as const;

export interface BenchUser {
  readonly id: string;
  readonly token: string;
  readonly ip: string;
}

interface SpecialCodes {
  /** Of the single-use codes. */
  readonly campaignId: string;
  /** Everybody may use it. */
  readonly hotCode: string;
  /** {@link SCARCE_LIMIT} uses each. */
  readonly scarce: readonly string[];
  readonly expired: readonly string[];
  /** The campaign whose codes give a subscription, a coupon, points and money. */
  readonly fourId: string;
  /** The campaign that has conditions, which read the user, what was redeemed and the time. */
  readonly selectiveId: string;
}

/** Unused codes and users, made beforehand so that no round waits for them. */
export class Supply {
  private readonly codes: string[] = [];
  private readonly users: string[] = [];
  private readonly regulars: BenchUser[] = [];
  private issued = 0;

  private readonly world: BenchWorld;
  readonly tenantId: string;
  private readonly special: SpecialCodes;

  private constructor(world: BenchWorld, tenantId: string, special: SpecialCodes) {
    this.world = world;
    this.tenantId = tenantId;
    this.special = special;
  }

  static async open(
    world: BenchWorld,
    counts: { scarce: number; expired: number },
    tenantId: string = TENANT,
  ): Promise<Supply> {
    const { tenants, lines, plans } = world.services;
    await tenants.create({ id: tenantId, name: 'Bench', type: 'PLATFORM', codeQuota: 0 });
    await lines.create(tenantId, { code: PRODUCT, name: 'No limits', hourLimit: 0, dayLimit: 0 });
    await encrypt(world, tenantId);
    const plan = await plans.create(tenantId, {
      name: 'Monthly',
      unitPrice: '9.90',
      unitTime: 'MONTH',
      trafficBytes: 100_000_000_000,
    });
    const { services } = world;
    const monthly: RewardRules = [{ type: 'SUBSCRIPTION', id: plan.id }];
    const having = async (useLimit: number) => campaign(services, tenantId, monthly, useLimit);
    const distinct = await having(1);
    const [hotCode] = await generated(services, tenantId, await having(HOT_LIMIT), 1);
    const scarce = await generated(services, tenantId, await having(SCARCE_LIMIT), counts.scarce);
    const ended = await having(1);
    const expired = await generated(services, tenantId, ended, counts.expired);
    await expire(world, tenantId, ended);
    const fourId = await campaign(services, tenantId, await fourRewards(services, tenantId, plan.id), 1);
    const special = {
      campaignId: distinct,
      hotCode: present(hotCode, 'The hot code'),
      scarce,
      expired,
      fourId,
      selectiveId: await campaign(services, tenantId, monthly, 1, CONDITIONS),
    };
    return new Supply(world, tenantId, special);
  }

  /** Of the single-use codes. */
  get campaignId(): string {
    return this.special.campaignId;
  }

  get hotCode(): string {
    return this.special.hotCode;
  }

  get scarceCodes(): readonly string[] {
    return this.special.scarce;
  }

  get expiredCodes(): readonly string[] {
    return this.special.expired;
  }

  /** Makes the missing codes and users. */
  async stock(codes: number, users: number): Promise<void> {
    const { services, stores } = this.world;
    while (this.codes.length < codes) {
      const count = Math.min(CODES_AT_ONCE_MAX, codes - this.codes.length);
      this.codes.push(...(await generated(services, this.tenantId, this.special.campaignId, count)));
    }
    while (this.users.length < users) {
      const rows = Array.from({ length: Math.min(USERS_AT_ONCE, users - this.users.length) }, () => {
        const id = services.ids.next();
        const created = new Date(services.clock.nowMs());
        return {
          tenant_id: this.tenantId,
          id,
          external_id: `bench-${id}`,
          status: 'ACTIVE',
          tags: '[]',
          created_at: created,
        };
      });
      await insertRows(tenantEm(stores.orm, this.tenantId), 'user', rows);
      this.users.push(...rows.map((row) => row.id));
    }
  }

  /** Puts codes of {@link campaignId} in the place of those left, to be handed out next. */
  replace(codes: readonly string[]): void {
    this.codes.splice(0, this.codes.length, ...codes);
  }

  /** Single-use codes, each handed out once. */
  async takeCodes(count: number): Promise<readonly string[]> {
    await this.stock(count, 0);
    return this.codes.splice(-count, count);
  }

  /** Single-use codes that give four rewards, made when they are asked for. */
  async takeFour(count: number): Promise<readonly string[]> {
    return this.takeOf(this.special.fourId, count);
  }

  /** As {@link takeFour}, of the campaign that has conditions; every user meets them. */
  async takeSelective(count: number): Promise<readonly string[]> {
    return this.takeOf(this.special.selectiveId, count);
  }

  private async takeOf(campaignId: string, count: number): Promise<readonly string[]> {
    const codes: string[] = [];
    while (codes.length < count) {
      const missing = Math.min(CODES_AT_ONCE_MAX, count - codes.length);
      codes.push(...(await generated(this.world.services, this.tenantId, campaignId, missing)));
    }
    return codes;
  }

  /** Users who have redeemed nothing yet, each handed out once. */
  async takeUsers(count: number): Promise<readonly BenchUser[]> {
    await this.stock(0, count);
    return this.users.splice(-count, count).map((id) => this.signedIn(id));
  }

  /** For requests that redeem nothing: few users, as most callers return, and a new token each time. */
  async passersBy(count: number): Promise<readonly BenchUser[]> {
    if (this.regulars.length === 0) this.regulars.push(...(await this.takeUsers(REGULARS)));
    return Array.from({ length: count }, (_, at) => {
      const { id } = present(this.regulars[at % REGULARS], 'A regular');
      // Tokens of one user and second differ by their end alone.
      return this.signedIn(id, TOKEN_TTL_S - (Math.floor(at / REGULARS) % (TOKEN_TTL_S / 2)));
    });
  }

  /** Codes in the tenant's format that were never issued. */
  unknownCodes(count: number): readonly string[] {
    const format = formatOf({ ...RULE, prefix: '', pattern: null, alphabet: null, excludeChars: [] });
    return new CodeGenerator(format).distinct(count).map((code) => code.text);
  }

  private signedIn(id: string, ttlS = TOKEN_TTL_S): BenchUser {
    this.issued += 1;
    const token = this.world.services.tokens.sign(
      { kind: 'USER', tenantId: this.tenantId, userId: id },
      ttlS,
    );
    const [a, b, c] = [this.issued >> 16, (this.issued >> 8) & 255, this.issued & 255];
    return { id, token, ip: `10.${a & 255}.${b}.${c}` };
  }
}

async function encrypt({ services }: BenchWorld, tenantId: string): Promise<void> {
  const { keyId: id, secret } = ENVELOPE_KEY;
  const device = { encryptionEnabled: true, encryptionKeys: [{ id, secret }] };
  await services.settingChanges.update(tenantId, { device });
}

type RewardRules = NonNullable<CreateCampaign['rule']['rewardRules']>;

/** Reads a user's tags, what the user has redeemed, and the time: three of the dearest facts. */
const CONDITIONS = '!("blocked" in userTags) && campaignRedemptions < 3 && hour < 24';

/** One reward of each kind. */
async function fourRewards(
  { couponTemplates, currencies, facilities }: Services,
  tenantId: string,
  planId: string,
): Promise<RewardRules> {
  await currencies.create(tenantId, { code: 'USD', name: 'Dollar', scale: 2 });
  const facility = await facilities.create(tenantId, { name: 'Wallet' });
  const terms = { name: 'Ten off', kind: 'AMOUNT', currency: 'USD', amount: '10' };
  const template = await couponTemplates.create(tenantId, terms);
  return [
    { type: 'SUBSCRIPTION', id: planId },
    { type: 'COUPON', id: template.id },
    { type: 'POINTS', amount: '100', validDays: 365 },
    { type: 'BALANCE', id: facility.id, amount: '2.50', currency: 'USD' },
  ];
}

async function campaign(
  services: Services,
  tenantId: string,
  rewardRules: RewardRules,
  useLimit: number,
  when?: string,
): Promise<string> {
  const made = await services.campaigns.create(tenantId, {
    name: `Bench, ${useLimit} uses`,
    rule: { ...RULE, useLimit, rewardRules: [...rewardRules], when },
  });
  await services.campaignChanges.step(tenantId, made.campaign.id, 'activate');
  return made.campaign.id;
}

async function generated(
  { generation }: Services,
  tenantId: string,
  campaignId: string,
  count: number,
): Promise<readonly string[]> {
  const { codes } = await generation.generate(tenantId, { campaignId, count });
  return present(codes, 'The codes of a campaign that shows them');
}

/** Before anybody has asked for them, so that no copy of them is behind. */
async function expire({ stores, services }: BenchWorld, tenantId: string, campaignId: string): Promise<void> {
  const expiresAt = new Date(services.clock.nowMs() - 86_400_000);
  await tenantEm(stores.orm, tenantId).nativeUpdate(Code, { campaignId }, { expiresAt, version: 2 });
}
