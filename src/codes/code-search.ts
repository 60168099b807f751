import type { CampaignRewards } from '../campaigns/campaign-rewards.service.js';
import { Campaign } from '../campaigns/campaign.entity.js';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import {
  assignedClause,
  both,
  effectiveClauses,
  oneOf,
  partClauses,
  statusClause,
  type Clause,
  type CodeIndex,
} from './code-clauses.js';
import { asksForRows, hasIds, ofCodes, ofTotals, ownConditions, type CodeFilter } from './code-filter.js';
import type { CodeRecognizer } from './code-recognizer.service.js';
import type { EffectiveStatusService } from './effective-status.service.js';

/** Among so few codes a part may stand anywhere in the code: to look at them takes a fraction of a second. */
const FEW_CODES = 50_000;
const ALL: Clause = { index: null, where: 'true', params: [] };

export interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** How the codes of a filter are found and counted. */
export interface FoundCodes {
  /** Statements that find ids, one for each index that leads to them. */
  readonly ways: readonly Statement[];
  /** Codes that several spellings of a part lead to are the same; a code has one effective status. */
  readonly union: ' union ' | ' union all ';
  /** From the totals, where these tell. */
  readonly total: Statement;
  /** Finds a row where the code of the id that stands for `:id` is one of them. */
  readonly test: Statement;
}

export interface CodeSearchParts {
  readonly states: EffectiveStatusService;
  readonly recognizer: CodeRecognizer;
  readonly rewards: CampaignRewards;
}

/** Makes statements of filters. Raw SQL, because indexes are forced. */
export class CodeSearch {
  constructor(private readonly its: CodeSearchParts) {}

  /** Null where nothing can be found. */
  async find(em: Em, tenantId: string, filter: CodeFilter): Promise<FoundCodes | null> {
    const places = hasIds(filter) ? await this.its.rewards.places(tenantId, filter) : [];
    const campaignIds = places && [...new Set(places.map(({ campaignId }) => campaignId))];
    const clauses = campaignIds?.length === 0 ? [] : await this.clausesOf(em, tenantId, filter);
    if (clauses.length === 0) return null;
    const own = ownConditions(tenantId, filter, campaignIds);
    const ways = clauses.map(({ index, where, params }) => {
      const by = index ?? ownIndex(filter);
      const hint = by === null ? '' : ` force index (${by})`;
      const sql = ofCodes(`select id from code${hint} where ${own.codes.where} and ${where}`);
      return { sql, params: [...own.codes.params, ...params] };
    });
    const union = filter.part ? ' union ' : ' union all ';
    const any = oneOf(clauses);
    const one = `select 1 from code force index (primary) where id = :id and ${own.codes.where} and ${any.where}`;
    const test = { sql: ofCodes(one), params: [...own.codes.params, ...any.params] };
    if (asksForRows(filter)) {
      const { sql, params } = joined(ways, union);
      return { ways, union, total: { sql: `select count(*) as total from (${sql}) found`, params }, test };
    }
    const sum = `select coalesce(sum(total), 0) as total from code_total where ${own.totals.where} and ${any.where}`;
    return {
      ways,
      union,
      total: { sql: ofTotals(sum), params: [...own.totals.params, ...any.params] },
      test,
    };
  }

  private async clausesOf(em: Em, tenantId: string, filter: CodeFilter): Promise<Clause[]> {
    const { effectiveStatus } = filter;
    const states = effectiveStatus
      ? effectiveClauses(effectiveStatus, await this.its.states.scope(em))
      : [ALL];
    if (states.length === 0) return [];
    const ways = await this.waysOf(em, tenantId, filter);
    return ways === null ? states : ways.map((clause) => both(clause, states));
  }

  /** The ways that lead to few codes; null where the filter names none. */
  private async waysOf(em: Em, tenantId: string, filter: CodeFilter): Promise<Clause[] | null> {
    const { part, assignedUserId, status, campaignId } = filter;
    if (part) {
      const areFew = (await issuedCount(em, tenantId, filter)) <= FEW_CODES;
      const digests = (canonical: string) => this.its.recognizer.digests(tenantId, canonical);
      return partClauses(tenantId, part, digests, areFew);
    }
    const offStatus = status === 'INACTIVE' || status === 'DISABLED' ? status : null;
    if (!assignedUserId && offStatus === null) return null;
    const ids = campaignId ? [campaignId] : await campaignIdsOf(em);
    if (ids.length === 0) return [];
    if (assignedUserId) return [assignedClause(ids, assignedUserId)];
    return offStatus && [statusClause(ids, offStatus)];
  }
}

/**
 * The index of what a filter names. Without it the optimizer may look for the newest codes of an old batch behind the
 * millions that came later. Where uses decide between the codes of a campaign, it goes by the rows.
 */
function ownIndex({ batchId, campaignId, status, effectiveStatus }: CodeFilter): CodeIndex | null {
  if (batchId) return 'ix_code__batch';
  return campaignId && !status && !effectiveStatus ? 'ix_code__campaign' : null;
}

/** Several statements as one that finds what each finds. */
export function joined(ways: readonly Statement[], union: FoundCodes['union']): Statement {
  const texts = ways.length === 1 ? ways.map(({ sql }) => sql) : ways.map(({ sql }) => `(${sql})`);
  return { sql: texts.join(union), params: ways.flatMap(({ params }) => params) };
}

async function campaignIdsOf(em: Em): Promise<Id[]> {
  const campaigns = await em.find(Campaign, {}, { fields: ['id'], disableIdentityMap: true });
  return campaigns.map(({ id }) => id);
}

/** How many codes were issued, at least as many as there are. */
async function issuedCount(em: Em, tenantId: string, { campaignId, batchId }: CodeFilter): Promise<number> {
  const conditions = [campaignId ? ' and campaign_id = ?' : '', batchId ? ' and id = ?' : ''];
  const [row] = await em.execute<[{ issued: string }]>(
    `select coalesce(sum(\`generated\`), 0) as issued from code_batch where tenant_id = ?${conditions.join('')}`,
    [tenantId, campaignId, batchId].filter((value) => Boolean(value)),
  );
  return Number(row.issued);
}
