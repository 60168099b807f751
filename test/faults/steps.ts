import { insertsInto, isBegin, isCommit } from './sql-statements.js';
import type { HttpEvent, MysqlEvent, RedisEvent, WireEvent } from './wire-events.js';

/** Where a redemption is when the fault comes, in the order in which it gets there; then, where a large batch is, and an import. */
export const STEPS = [
  'KEY_LOOKUP',
  'LUA_SENT',
  'LUA_APPLIED',
  'BEFORE_BEGIN',
  'AFTER_INSERTS',
  'BEFORE_COMMIT',
  'COMMIT_APPLIED',
  'BEFORE_CONFIRM',
  'BEFORE_PUBLISH',
  'BEFORE_REPLY',
  'CLIENT_RETRIES',
  'CHUNK_SENT',
  'CHUNK_APPLIED',
  'PAGE_SENT',
  'PAGE_APPLIED',
] as const;
export type Step = (typeof STEPS)[number];

/** What each step means on the wire; the message named is held while the fault happens. */
export const MEANINGS: Readonly<Record<Step, string>> = {
  KEY_LOOKUP: 'admit-attempt is on its way to Redis',
  LUA_SENT: 'claim-code is on its way to Redis',
  LUA_APPLIED: 'Redis has claimed; its reply is lost',
  BEFORE_BEGIN: 'a claim is there, and the BEGIN of a commit is on its way to the database',
  AFTER_INSERTS: 'the redemption is inserted; the reply is on its way',
  BEFORE_COMMIT: 'COMMIT is on its way to the database',
  COMMIT_APPLIED: 'the database has committed; its reply is lost',
  BEFORE_CONFIRM: 'confirm-claims is on its way to Redis',
  BEFORE_PUBLISH: 'the doorbell of the commit is on its way to Redis',
  BEFORE_REPLY: 'the answer COMMITTED is on its way to the client',
  CLIENT_RETRIES: 'the answer COMMITTED was lost, and the client asks again with the same key',
  CHUNK_SENT: 'the COMMIT of 5,000 codes of a large batch is on its way to the database',
  CHUNK_APPLIED: 'the database has committed 5,000 codes of a large batch; its reply is lost',
  PAGE_SENT: 'the COMMIT of 1,000 lines of an import is on its way to the database',
  PAGE_APPLIED: 'the database has committed 1,000 lines of an import; its reply is lost',
};

type BatchStep = 'CHUNK_SENT' | 'CHUNK_APPLIED' | 'PAGE_SENT' | 'PAGE_APPLIED';

/** Steps of a batch that a worker makes, or takes from a file, beside the redemptions. */
export function isOfBatch(step: Step): step is BatchStep {
  return step.startsWith('CHUNK_') || isOfImport(step);
}

/** Steps of a file that a worker reads. */
export function isOfImport(step: Step): boolean {
  return step.startsWith('PAGE_');
}

/** Steps whose message never arrives, whatever the fault lets pass. */
export const LOSES_REPLY: ReadonlySet<Step> = new Set([
  'LUA_APPLIED',
  'COMMIT_APPLIED',
  'CHUNK_APPLIED',
  'PAGE_APPLIED',
]);

/** Steps at which a claim may be open that is named by the message; or by none, and is one of its process. */
export const LEAVES_CLAIM: ReadonlySet<Step> = new Set([
  'LUA_SENT',
  'LUA_APPLIED',
  'BEFORE_BEGIN',
  'AFTER_INSERTS',
  'BEFORE_COMMIT',
  'COMMIT_APPLIED',
  'BEFORE_CONFIRM',
]);

/** HERE: hold this message. LOSE: break the connection, to get to the step. ON: pass it on. */
export type Sighting = 'HERE' | 'LOSE' | 'ON';
export type Lookout = (event: WireEvent) => Sighting;

/** Looks out for a step of redemptions of one tenant. */
export function lookoutFor(step: Step, tenantId: string): Lookout {
  const on = sightings(tenantId);
  if (isOfBatch(step)) return here(on.chunk(step.endsWith('_SENT') ? 'REQUEST' : 'REPLY'));
  switch (step) {
    case 'KEY_LOOKUP':
      return here(on.redis('admit-attempt', 'REQUEST'));
    case 'LUA_SENT':
      return here(on.redis('claim-code', 'REQUEST'));
    case 'LUA_APPLIED':
      return here(on.claimed);
    case 'BEFORE_BEGIN':
      return afterClaim(on.claimed, isBeginOfCommit);
    case 'AFTER_INSERTS':
      return here(on.mysql('REPLY', (event) => inserts(event) && !redeems(event)));
    case 'BEFORE_COMMIT':
      return here(on.mysql('REQUEST', redeems));
    case 'COMMIT_APPLIED':
      return here(on.mysql('REPLY', redeems));
    case 'BEFORE_CONFIRM':
      return here(on.redis('confirm-claims', 'REQUEST'));
    case 'BEFORE_PUBLISH':
      return here((event) => isPublish(event, tenantId));
    case 'BEFORE_REPLY':
      return here(on.committedReply);
    case 'CLIENT_RETRIES':
      return retryAfterLoss(on.committedReply);
  }
}

type Test = (event: WireEvent) => boolean;

const here =
  (test: Test): Lookout =>
  (event) =>
    test(event) ? 'HERE' : 'ON';

function sightings(tenantId: string) {
  const redis =
    (script: string, side: RedisEvent['side'], more: (event: RedisEvent) => boolean = () => true): Test =>
    (event) =>
      event.kind === 'REDIS' &&
      event.script === script &&
      event.side === side &&
      isApi(event) &&
      (event.keys[0] ?? '').startsWith(`{${tenantId}}:`) &&
      more(event);
  const sql =
    (side: MysqlEvent['side'], more: (event: MysqlEvent) => boolean): Test =>
    (event) =>
      event.kind === 'MYSQL' && event.side === side && ofTenant(event, tenantId) && more(event);
  const mysql = (side: MysqlEvent['side'], more: (event: MysqlEvent) => boolean): Test =>
    sql(side, (event) => isApi(event) && more(event));
  const chunk = (side: MysqlEvent['side']): Test =>
    sql(side, (event) => !isApi(event) && commits('code', event));
  const claimed = redis('claim-code', 'REPLY', ({ reply }) => reply.includes('CLAIMED'));
  const committedReply: Test = (event) =>
    event.kind === 'HTTP' &&
    event.side === 'REPLY' &&
    event.tenantId === tenantId &&
    event.text.includes('"status":"COMMITTED"');
  return { redis, mysql, chunk, claimed, committedReply };
}

const isApi = ({ link }: WireEvent): boolean => link.process.startsWith('api');
const inserts = ({ statements }: MysqlEvent): boolean =>
  statements.some((statement) => insertsInto('redemption', statement));
const commits = (table: string, { statements, transaction }: MysqlEvent): boolean =>
  statements.some(isCommit) && transaction.some((statement) => insertsInto(table, statement));
const redeems = (event: MysqlEvent): boolean => commits('redemption', event);
const ofTenant = ({ transaction }: MysqlEvent, tenantId: string): boolean =>
  transaction.some((statement) => statement.includes(`'${tenantId}'`));

/** BEGIN alone names no tenant, so it has to be one of a process that has just claimed for the tenant. */
function afterClaim(claimed: Test, begins: Test): Lookout {
  const claimers = new Set<string>();
  return (event) => {
    if (claimed(event)) claimers.add(event.link.process);
    return claimers.has(event.link.process) && begins(event) ? 'HERE' : 'ON';
  };
}

/** Only the connections that commit may send several statements at once. */
const isBeginOfCommit: Test = (event) =>
  event.kind === 'MYSQL' &&
  event.side === 'REQUEST' &&
  isApi(event) &&
  event.maySendSeveral &&
  event.statements.some(isBegin);

const isPublish = (event: WireEvent, tenantId: string): boolean =>
  event.kind === 'REDIS' &&
  event.side === 'REQUEST' &&
  event.command === 'PUBLISH' &&
  event.words[1]?.startsWith('events:doorbell:') === true &&
  (event.words[2] ?? '').includes(`"${tenantId}"`);

const KEY = /"key":"([^"]+)"/;
const keyOf = ({ request }: HttpEvent): string | null => KEY.exec(request)?.[1] ?? null;

function retryAfterLoss(committedReply: Test): Lookout {
  let lost: string | null = null;
  return (event) => {
    if (event.kind !== 'HTTP') return 'ON';
    if (lost !== null) return event.side === 'REQUEST' && keyOf(event) === lost ? 'HERE' : 'ON';
    if (!committedReply(event)) return 'ON';
    lost = keyOf(event);
    return lost === null ? 'ON' : 'LOSE';
  };
}
