import { present } from '../../../src/platform/assert.js';
import { graphqlRequest } from '../../support/graphql-client.js';
import { tenantEm } from '../../../src/platform/database/orm.js';
import { rounded } from '../statistics.js';
import type { BenchWorld } from '../world.js';

const TIMES = 5;
/** The bound of a statement of a list is five seconds (READ_TIMEOUT_MS); a page has to come sooner. */
const ANSWER_MS_MAX = 1000;
const DAY_MS = 86_400_000;

interface Where {
  readonly tenantId: string;
  readonly campaignId: string;
  readonly address: string;
}

/** What staff ask for, over everything that a long run has stored. @returns what took too long */
export async function measureLists(
  world: BenchWorld,
  { tenantId, campaignId, address }: Where,
  say: (line: string) => void,
): Promise<string[]> {
  const token = world.services.tokens.sign({ kind: 'STAFF', tenantId, staffId: 'long', role: 'OWNER' }, 900);
  const late: string[] = [];
  for (const [name, query] of Object.entries(await questions(world, tenantId, campaignId))) {
    const times: number[] = [];
    for (let time = 0; time < TIMES; time += 1) {
      const fromMs = performance.now();
      const { errors } = await graphqlRequest(address, { query: `{ ${query} }`, token });
      times.push(performance.now() - fromMs);
      if (errors !== undefined) late.push(`${name}: ${errors[0]?.message ?? 'an error'}`);
    }
    const worst = rounded(Math.max(...times), 0);
    say(`  ${name}: ${times.map((ms) => rounded(ms, 0)).join(', ')} ms`);
    if (worst > ANSWER_MS_MAX) late.push(`${name}: ${worst} ms of ${ANSWER_MS_MAX}`);
  }
  return late;
}

async function questions(
  world: BenchWorld,
  tenantId: string,
  campaignId: string,
): Promise<Readonly<Record<string, string>>> {
  const [row] = await tenantEm(world.stores.orm, tenantId).execute<
    { codeId: string; text: string; userId: string; batchId: string }[]
  >(
    `select cast(r.code_id as char) as codeId, c.code_text as text, cast(r.user_id as char) as userId,
       cast(c.batch_id as char) as batchId
     from redemption r join code c on c.tenant_id = r.tenant_id and c.id = r.code_id
     where r.tenant_id = ? limit 1`,
    [tenantId],
  );
  const { codeId, text, userId, batchId } = present(row, 'A redemption');
  const now = world.services.clock.nowMs();
  const [from, to] = [new Date(now - 30 * DAY_MS), new Date(now + DAY_MS)].map((at) => at.toISOString());
  const codes = (args: string): string => `codes(${args}) { total next items { id code status used } }`;
  const redemptions = (args: string): string =>
    `redemptions(${args}) { total next items { id codeId userId status claimedAt } }`;
  return {
    'codes, newest': codes('size: 50'),
    'codes, page 100': codes('size: 50, page: 100'),
    'codes of a campaign': codes(`size: 50, filter: { campaignId: "${campaignId}" }`),
    'codes of a batch': codes(`size: 50, filter: { batchId: "${batchId}" }`),
    'codes used up': codes('size: 50, filter: { effectiveStatus: [USED_UP] }'),
    'codes active': codes('size: 50, filter: { effectiveStatus: [ACTIVE] }'),
    'codes issued in 30 days': codes(`size: 50, filter: { issuedFrom: "${from}", issuedBefore: "${to}" }`),
    'codes, the whole text': codes(`size: 50, filter: { part: "${text}" }`),
    'codes, the beginning': codes(`size: 50, filter: { part: "${text.slice(0, 6)}" }`),
    'codes, the last four': codes(`size: 50, filter: { part: "${text.slice(-4)}" }`),
    'the history of a code': `codeHistory(codeId: "${codeId}") { entries { event at } }`,
    'redemptions, newest': redemptions('size: 50'),
    'redemptions, page 100': redemptions('size: 50, page: 100'),
    'redemptions of a user': redemptions(`size: 50, filter: { userId: "${userId}" }`),
    'redemptions of a code': redemptions(`size: 50, filter: { codeId: "${codeId}" }`),
    'redemptions of a batch': redemptions(`size: 50, filter: { batchId: "${batchId}" }`),
    'redemptions of a campaign': redemptions(`size: 50, filter: { campaignId: "${campaignId}" }`),
    'redemptions by text': redemptions(`size: 50, filter: { part: "${text}" }`),
    'redemptions in 30 days': redemptions(`size: 50, filter: { from: "${from}", before: "${to}" }`),
    users: 'users(size: 50) { total next items { id externalId } }',
    subscriptions: 'subscriptions(size: 50) { total next items { id userId } }',
    'the overview': 'overview { codes overdueClaims batchesUnderWay { batchId } redemptions { committed } }',
    'a campaign report': `campaignReport(campaignId: "${campaignId}") { usedUses codes { status count } }`,
    'hours of 30 days': `redemptionSeries(from: "${from}", step: HOUR) { committed refused }`,
  };
}
