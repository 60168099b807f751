import { randomBytes } from 'node:crypto';
import { signedUser, staffToken, type Cluster } from './cluster.js';
import { graphqlRequest } from './graphql-client.js';
import { pick } from './redeemers.js';
import { seedCampaign, seedTenant } from './world.js';

/** One operation of the API, ready to be sent. */
export interface Operation {
  readonly name: string;
  readonly query: string;
  readonly token: string;
}

export interface OperationAnswer {
  readonly name: string;
  /** OK, or the code of a refusal or of the transport. */
  readonly outcome: string;
  readonly tookMs: number;
}

const PAGE = 'total items { id }';

/** Reads and writes of each feature, of staff and of a user, that all succeed while both stores are there. */
export async function operationsOf(cluster: Cluster): Promise<readonly Operation[]> {
  const { world } = cluster;
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { campaignId, codes } = await seedCampaign(world, tenant, 3);
  const { campaignId: further } = await seedCampaign(world, tenant, 1);
  const user = await signedUser(world, tenantId);
  const staff = staffToken(world, tenantId);
  const unique = (): string => randomBytes(4).toString('hex').toUpperCase();
  const ofStaff: Record<string, string> = {
    campaign: `{ campaign(id: "${campaignId}") { id } }`,
    campaigns: `{ campaigns { ${PAGE} } }`,
    codes: `{ codes { ${PAGE} } }`,
    plans: `{ plans { ${PAGE} } }`,
    orders: '{ orders { total } }',
    redemptions: `{ redemptions { ${PAGE} } }`,
    createProductLine: `mutation { createProductLine(input: { code: "L${unique()}", name: "L" }) { errors { code } } }`,
    createUserToken: `mutation { createUserToken(input: { externalUserId: "${unique()}" }) { errors { code } } }`,
    generateCodes: `mutation { generateCodes(input: { campaignId: "${campaignId}", count: 2 }) { errors { code } } }`,
    pauseCampaign: `mutation { pauseCampaign(input: { campaignId: "${further}" }) { errors { code } } }`,
  };
  const ofUser: Record<string, string> = {
    mySubscriptions: '{ mySubscriptions { id } }',
    previewRedemption: `{ previewRedemption(code: "${codes[0]}") { errors { code } } }`,
    redeemCode: `mutation { redeemCode(input: { code: "${codes[0]}" }) { errors { code } } }`,
  };
  const named = (token: string) => (entry: [string, string]) => ({ name: entry[0], query: entry[1], token });
  return [...Object.entries(ofStaff).map(named(staff)), ...Object.entries(ofUser).map(named(user.token))];
}

async function run(url: string, { name, query, token }: Operation): Promise<OperationAnswer> {
  const from = performance.now();
  const answer = await graphqlRequest(url, {
    query,
    token,
    headers: { 'x-product-code': 'DEMO' },
  });
  return { name, outcome: outcomeOf(answer), tookMs: performance.now() - from };
}

/** All of them at once, `times` times, in turn over the processes. */
export async function runAll(
  urls: readonly string[],
  operations: readonly Operation[],
  times = 1,
): Promise<OperationAnswer[]> {
  const all = Array.from({ length: times }, () => operations).flat();
  return Promise.all(all.map(async (operation, at) => run(pick(urls, at), operation)));
}

/** What came of each operation, by its name. */
export function outcomes(answers: readonly OperationAnswer[]): Record<string, string> {
  const byName = Map.groupBy(answers, ({ name }) => name);
  return Object.fromEntries(
    [...byName].map(([name, own]) => [name, [...new Set(own.map(({ outcome }) => outcome))].join(' or ')]),
  );
}

function outcomeOf(answer: Awaited<ReturnType<typeof graphqlRequest>>): string {
  const transport = answer.errors?.[0]?.extensions.code;
  if (transport !== undefined) return transport;
  const [payload] = Object.values(answer.data ?? {}) as ({ errors?: { code: string }[] } | undefined)[];
  return payload?.errors?.[0]?.code ?? 'OK';
}
