import { randomBytes, randomInt } from 'node:crypto';
import { inject } from 'vitest';
import { CampaignChangeService } from '../../src/campaigns/campaign-change.service.js';
import type { CreateCampaign } from '../../src/campaigns/campaign-input.js';
import { CampaignReader } from '../../src/campaigns/campaign-reader.service.js';
import { CampaignRewards } from '../../src/campaigns/campaign-rewards.service.js';
import { CampaignRuleChecks, type RewardTargets } from '../../src/campaigns/campaign-rule-checks.js';
import { CampaignService } from '../../src/campaigns/campaign.service.js';
import { BatchChangeService } from '../../src/codes/batch-change.service.js';
import { BatchCodes } from '../../src/codes/batch-codes.service.js';
import { BatchGeneration } from '../../src/codes/batch-generation.service.js';
import { CampaignLaunchService } from '../../src/codes/campaign-launch.service.js';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import { CodeChangeService } from '../../src/codes/code-change.service.js';
import { CodeChunkWriter } from '../../src/codes/code-chunk-writer.js';
import { CodeDigester } from '../../src/codes/code-digester.js';
import { formatOf } from '../../src/codes/code-format.js';
import { CodeGenerationService } from '../../src/codes/code-generation.service.js';
import { CodeIssuer } from '../../src/codes/code-issuer.js';
import { SealedCodes } from '../../src/codes/sealed-codes.service.js';
import { ShownCodes } from '../../src/codes/shown-codes.redis.js';
import { connectRedis } from '../../src/platform/redis/redis.js';
import type { CodeCopyService } from '../../src/codes/code-copy.service.js';
import { CodeReader } from '../../src/codes/code-reader.service.js';
import { EffectiveStatusService } from '../../src/codes/effective-status.service.js';
import { CodeSearch } from '../../src/codes/code-search.js';
import { CODE_TOTALS } from '../../src/codes/code-totals.service.js';
import { CodeRecognizer } from '../../src/codes/code-recognizer.service.js';
import { PepperRegistry } from '../../src/codes/pepper-registry.js';
import { CodeRefresh } from '../../src/codes/code-refresh.js';
import { ChosenCodesService } from '../../src/codes/chosen-codes.service.js';
import { CodeAllocationService } from '../../src/codes/code-allocation.service.js';
import { CodePoolService } from '../../src/codes/code-pool.service.js';
import { CodeExportService } from '../../src/codes/files/code-export.service.js';
import { CodeImportService } from '../../src/codes/files/code-import.service.js';
import { ImportWriter } from '../../src/codes/files/import-writer.js';
import { GivenCodes } from '../../src/codes/given-code.js';
import { GuessSafety } from '../../src/codes/guess-safety.service.js';
import { Code } from '../../src/codes/code.entity.js';
import { entities } from '../../src/app/modules.js';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { User } from '../../src/identity/users/user.entity.js';
import { systemClock } from '../../src/platform/clock.js';
import { DomainError } from '../../src/platform/errors.js';
import { IdGenerator } from '../../src/platform/ids.js';
import { createLog } from '../../src/platform/observability/log.js';
import { UNKEYED } from '../../src/platform/database/keyed-rows.js';
import { connectOrm, tenantEm } from '../../src/platform/database/orm.js';
import { Totals } from '../../src/platform/database/totals.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import type { TimeUnit } from '../../src/rewards/time-unit.js';
import { ProductLineService } from '../../src/tenancy/product-line.service.js';
import { Tenant } from '../../src/tenancy/tenant.entity.js';
import { TenantService } from '../../src/tenancy/tenant.service.js';
import { TEST_SECRETS } from './world.js';

/** What the copies in Redis would have been told, in order. */
class ToldCopies implements Pick<CodeCopyService, 'bumpEpoch' | 'evict'> {
  readonly raised: string[] = [];
  readonly evicted: { readonly digest: string; readonly version: number }[] = [];
  /** What happens when a raise is asked for; tests look at the database from here, or let it fail. */
  onRaise: () => Promise<void> = async () => undefined;

  async bumpEpoch(tenantId: string): Promise<void> {
    this.raised.push(tenantId);
    await this.onRaise();
  }

  async evict(_tenantId: string, digest: string, version: number): Promise<void> {
    this.evicted.push({ digest, version });
  }
}

/** A rule that is always possible. */
export const ruleOf = (rule: Partial<CreateCampaign['rule']> = {}): CreateCampaign['rule'] => ({
  ruleId: 'rule',
  codeType: 'ALPHANUM',
  ...rule,
});

/** The code of a refusal; fails where the work is not refused. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
  throw new Error('It was not refused.');
}

/** How work ended: done, or the code of its refusal. */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'DONE';
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
}

/** One database, with everything that campaigns and codes are made of; Redis only listens, but for the codes of HASHED batches. */
export async function openCodesWorld(databaseUrl: string, guessesPerHit = 1_000_000) {
  const orm = await connectOrm({ databaseUrl, poolSize: 12, entities });
  const clock = { offsetMs: 0, nowMs: () => systemClock.nowMs() + clock.offsetMs };
  const nodeNo = randomInt(4096);
  const ids = new IdGenerator(systemClock, () => ({ nodeNo, validUntilMs: Number.MAX_SAFE_INTEGER }));
  const log = createLog({ level: 'silent' });
  const retries: unknown[] = [];
  const transactions = new Transactions(orm, { onRetry: (error) => retries.push(error) });
  const outbox = new Outbox(clock, () => undefined);
  const tenants = new TenantService(orm, clock, transactions);
  const lines = new ProductLineService({ orm, readOrm: orm, clock, transactions });
  const copies = new ToldCopies();
  const refresh = new CodeRefresh(copies, log);
  const { codePepper: current } = TEST_SECRETS;
  const peppers = await new PepperRegistry(orm, log).settle({ current, previous: [], others: [] });
  const digester = new CodeDigester(peppers);
  const recognizer = new CodeRecognizer(orm, digester);
  const campaignReader = new CampaignReader(orm);
  const guesses = new GuessSafety(ids, clock, digester, guessesPerHit);
  /** Ids of the batches that the jobs were handed. */
  const enqueued: string[] = [];
  const enqueue = async ({ id }: { readonly id: string }): Promise<void> => void enqueued.push(id);
  const batchChanges = new BatchChangeService(
    transactions,
    clock,
    outbox,
    tenants,
    refresh,
    guesses,
    enqueue,
  );
  const plans = new Map<string, TimeUnit>([['4711', 'MONTH']]);
  const targets: RewardTargets = {
    find: async (_tenantId, { type, id }) => {
      if (type === 'POINTS') return { unit: null, fault: null };
      const unit = plans.get(id);
      return unit === undefined ? null : { unit, fault: null };
    },
  };
  const ruleChecks = new CampaignRuleChecks(targets, lines, {
    checkCodes: (rule, count) => guesses.assertRule(formatOf(rule), count),
  });
  const campaignChanges = new CampaignChangeService({
    transactions,
    clock,
    outbox,
    ruleChecks,
    ports: {
      voidCodes: async (em, tenantId, campaignId) => batchChanges.voidAll(em, tenantId, campaignId),
      codesEnded: async (em, tenantId, campaignId) => batchChanges.ended(em, tenantId, campaignId),
      changed: async (tenantId) => copies.bumpEpoch(tenantId),
    },
  });
  const campaigns = new CampaignService({
    orm,
    transactions,
    ids,
    clock,
    outbox,
    tenants,
    directory: { confirm: async () => undefined },
    ruleChecks,
  });
  const turn = async (): Promise<void> => undefined;
  const writer = new CodeChunkWriter(ids, digester, turn);
  const issuer = new CodeIssuer(ids, clock, outbox, tenants, writer, guesses);
  const generated: [string, number][] = [];
  const onGenerated = (campaignId: string, count: number): void => void generated.push([campaignId, count]);
  const redis = connectRedis(inject('redisUrl'), 5000);
  const shown = new ShownCodes(redis, digester, 600, log);
  const generation = new CodeGenerationService({
    shown,
    orm,
    transactions,
    issuer,
    tenants,
    refresh,
    enqueue,
    onGenerated,
  });
  const sealed = new SealedCodes(orm, digester);
  const announce = generation.announce.bind(generation);
  /** Works at batches as a process does; several of them play several processes. */
  const newBatchGeneration = (chunkCodes?: number) =>
    new BatchGeneration({
      orm,
      transactions,
      clock,
      outbox,
      writer,
      sealed,
      announce,
      ...(chunkCodes === undefined ? {} : { chunkCodes }),
    });
  const batchCodes = new BatchCodes(orm, sealed);
  const launches = new CampaignLaunchService(orm, campaigns, generation);
  const codeChanges = new CodeChangeService({ transactions, clock, outbox, tenants, refresh, guesses });
  const codeTotals = new Totals({ orm, transactions }, CODE_TOTALS);
  const states = new EffectiveStatusService(orm);
  const codeSearch = new CodeSearch({ states, recognizer, rewards: new CampaignRewards(orm, targets) });
  const codeReader = new CodeReader(orm, states, codeSearch);
  const given = new GivenCodes(ids, digester);
  const common = { orm, ids, clock, transactions, outbox, log, tenants, refresh, guesses };
  const chosenCodes = new ChosenCodesService({ ...common, given });
  const pools = new CodePoolService({ ...common, generation });
  const codeImports = new CodeImportService({
    ...common,
    readOrm: orm,
    turn,
    writer: new ImportWriter({ ...common, given }),
  });
  const codeExports = new CodeExportService(orm, turn, transactions);
  const allocations = new CodeAllocationService(common);
  const em = (tenantId: string) => tenantEm(orm, tenantId);

  async function addTenant(codeQuota = 0): Promise<string> {
    const id = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
    await tenants.create({ id, name: 'Tenant', type: 'CHANNEL', codeQuota });
    return id;
  }

  async function addUser(tenantId: string): Promise<string> {
    const id = ids.next();
    const createdAt = new Date(clock.nowMs());
    const user = { tenantId, id, externalId: `u${id}`, status: 'ACTIVE' as const, tags: [], createdAt };
    await em(tenantId).insert(User, user);
    return id;
  }

  async function addCampaign(tenantId: string, input: Partial<CreateCampaign> = {}): Promise<Campaign> {
    const { campaign } = await launches.create(tenantId, { name: 'Campaign', rule: ruleOf(), ...input });
    return campaign;
  }

  /** What a large order leaves for a job, with as few codes as a test wants. */
  async function reserveBatch(campaign: Campaign, count: number): Promise<CodeBatch> {
    const order = { campaign, count, awaitsActivation: false, ...UNKEYED };
    return transactions.run(campaign.tenantId, async (tx) => issuer.reserve(tx, order));
  }

  /** Everything a refusal could have written. */
  async function state(tenantId: string) {
    const [tenant, campaignRows, batches, codes, events] = await Promise.all([
      em(tenantId).findOneOrFail(Tenant, { id: tenantId }),
      em(tenantId).find(Campaign, {}, { orderBy: { id: 'asc' } }),
      em(tenantId).find(CodeBatch, {}, { orderBy: { id: 'asc' } }),
      em(tenantId).find(Code, {}, { orderBy: { id: 'asc' } }),
      em(tenantId).find(OutboxEvent, {}, { orderBy: { seq: 'asc' } }),
    ]);
    return { issued: tenant.codesIssued, campaigns: campaignRows, batches, codes, events };
  }

  return {
    orm,
    em,
    ids,
    clock,
    transactions,
    retries,
    tenants,
    lines,
    plans,
    copies,
    digester,
    recognizer,
    issuer,
    writer,
    sealed,
    enqueued,
    newBatchGeneration,
    batchCodes,
    outbox,
    guesses,
    given,
    chosenCodes,
    pools,
    allocations,
    codeImports,
    codeExports,
    campaignReader,
    campaignChanges,
    campaigns,
    generation,
    generated,
    launches,
    codeChanges,
    batchChanges,
    codeReader,
    codeSearch,
    codeTotals,
    addTenant,
    addUser,
    addCampaign,
    reserveBatch,
    state,
    redis,
    close: async () => {
      redis.disconnect();
      await orm.close();
    },
  };
}

export type CodesWorld = Awaited<ReturnType<typeof openCodesWorld>>;
