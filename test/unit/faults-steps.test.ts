import { describe, expect, it } from 'vitest';
import { lookoutFor, type Step } from '../faults/steps.js';
import type { HttpEvent, MysqlEvent, RedisEvent, WireEvent } from '../faults/wire-events.js';

const T = 'T_1';
const common = { link: { process: 'api1', to: 'redis' }, connectionNo: 1, side: 'REQUEST' } as const;

const redis = (event: Partial<RedisEvent>): RedisEvent => ({
  ...common,
  kind: 'REDIS',
  command: 'EVALSHA',
  script: null,
  keys: [`{${T}}:open`],
  words: [],
  isError: false,
  reply: '',
  ...event,
});
const mysql = (statements: string[], event: Partial<MysqlEvent> = {}): MysqlEvent => ({
  ...common,
  link: { process: 'api1', to: 'database' },
  kind: 'MYSQL',
  statements,
  transaction: statements,
  maySendSeveral: true,
  sequence: 0,
  ...event,
});
const http = (event: Partial<HttpEvent>): HttpEvent => ({
  ...common,
  link: { process: 'api1', to: 'clients' },
  kind: 'HTTP',
  tenantId: T,
  request: '',
  text: '',
  ...event,
});

const insert = `insert into redemption (tenant_id) values ('${T}')`;
const claimed = redis({ script: 'claim-code', side: 'REPLY', reply: '*3\r\n$7\r\nCLAIMED\r\n' });
const committed = http({ side: 'REPLY', text: '{"status":"COMMITTED"}', request: '{"key":"k1"}' });

/** What the lookout says of each event in turn. */
function sightings(step: Step, ...events: WireEvent[]): string[] {
  const lookout = lookoutFor(step, T);
  return events.map((event) => lookout(event));
}

describe('the lookout for a step', () => {
  it.each<[Step, WireEvent]>([
    ['KEY_LOOKUP', redis({ script: 'admit-attempt' })],
    ['LUA_SENT', redis({ script: 'claim-code' })],
    ['LUA_APPLIED', claimed],
    ['AFTER_INSERTS', mysql([insert], { side: 'REPLY' })],
    ['BEFORE_COMMIT', mysql(['commit'], { transaction: ['begin', insert, 'commit'] })],
    ['BEFORE_COMMIT', mysql([insert, 'commit'])],
    ['COMMIT_APPLIED', mysql(['commit'], { transaction: ['begin', insert, 'commit'], side: 'REPLY' })],
    ['BEFORE_CONFIRM', redis({ script: 'confirm-claims' })],
    [
      'BEFORE_PUBLISH',
      redis({ command: 'PUBLISH', keys: [], words: ['PUBLISH', 'events:doorbell:0', `[["${T}",7]]`] }),
    ],
    ['BEFORE_REPLY', committed],
  ])(
    '%s knows its message, and takes neither another tenant nor the other direction for it',
    (step, event) => {
      expect(sightings(step, event)).toEqual(['HERE']);
      const foreign = JSON.parse(JSON.stringify(event).replaceAll(T, 'T_2')) as WireEvent;
      const turned: WireEvent = { ...event, side: event.side === 'REPLY' ? 'REQUEST' : 'REPLY' };
      expect(sightings(step, foreign, turned)).toEqual(['ON', 'ON']);
    },
  );

  it('BEFORE_BEGIN waits for a claim of the tenant in the same process', () => {
    const begin = mysql(['begin', 'select 1 for update']);
    const elsewhere: MysqlEvent = { ...begin, link: { process: 'api2', to: 'database' } };
    const reading: MysqlEvent = { ...begin, maySendSeveral: false };
    const found = sightings('BEFORE_BEGIN', begin, claimed, elsewhere, reading, begin);
    expect(found).toEqual(['ON', 'ON', 'ON', 'ON', 'HERE']);
  });

  it('CLIENT_RETRIES loses an answer first, and then waits for the same key', () => {
    const withoutKey = { ...committed, request: '{"key":null}' };
    const other = http({ request: '{"key":"k2"}' });
    const same = http({ request: '{"key":"k1"}' });
    const found = sightings('CLIENT_RETRIES', same, withoutKey, committed, other, same);
    expect(found).toEqual(['ON', 'ON', 'LOSE', 'ON', 'HERE']);
  });

  it.each(['CHUNK_SENT', 'CHUNK_APPLIED', 'PAGE_SENT', 'PAGE_APPLIED'] as const)(
    '%s takes the COMMIT of a worker that has inserted codes',
    (step) => {
      const isSent = step.endsWith('_SENT');
      const side = isSent ? 'REQUEST' : 'REPLY';
      const turned = isSent ? 'REPLY' : 'REQUEST';
      const transaction = ['begin', `insert into code (tenant_id) values ('${T}')`, 'commit'];
      const worker = { process: 'worker', to: 'database' } as const;
      const chunk = mysql(['commit'], { transaction, side, link: worker });
      const foreign = JSON.parse(JSON.stringify(chunk).replaceAll(T, 'T_2')) as WireEvent;
      const small = mysql(['commit'], { transaction, side });
      const found = sightings(
        step,
        small,
        foreign,
        { ...chunk, side: turned },
        { ...chunk, statements: [] },
        chunk,
      );
      expect(found).toEqual(['ON', 'ON', 'ON', 'ON', 'HERE']);
    },
  );

  it('no COMMIT counts that commits something else', () => {
    const other = mysql(['commit'], { transaction: ['begin', `update campaign where '${T}'`, 'commit'] });
    expect(sightings('BEFORE_COMMIT', other)).toEqual(['ON']);
  });
});
