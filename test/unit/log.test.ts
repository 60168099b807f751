import { describe, expect, it } from 'vitest';
import { DomainError } from '../../src/platform/errors.js';
import { createLog, requestLog, type Logger } from '../../src/platform/observability/log.js';
import { scrub } from '../../src/platform/observability/scrub.js';

const CODE = 'GIFT-7K2M-XQ9P-41ZB';
const PLAIN_CODE = 'GFXHKQWZRTAB';
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxNyJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg';
const PEPPER = 'pepper-0123456789-0123456789-0123456789';
const DATABASE_URL = 'mariadb://redeem:hunter2secret@db.example:3306/redeemkit';
const API_KEY = `rk_live_${'aB3'.repeat(12)}`;
const WEBHOOK_SECRET = `whsec_${'x9/+'.repeat(10)}abc=`;
const INVITATION = `rki_HQ.385471329443700737.${'Ab-9'.repeat(10)}_xy`;
const REFRESH = `rkr_HQ.385471329443700737.${'Ab-9_'.repeat(5)}.${'Ab-9_'.repeat(9)}`;
const SECRETS = [
  INVITATION,
  REFRESH,
  'LNKCDE234567',
  CODE,
  PLAIN_CODE,
  JWT,
  PEPPER,
  'hunter2secret',
  API_KEY,
  WEBHOOK_SECRET,
  'of-a-captcha',
];

function written(use: (log: Logger) => void): { text: string; lines: Record<string, unknown>[] } {
  let text = '';
  use(createLog({ level: 'trace' }, { write: (line) => void (text += line) }));
  const lines = text.split('\n').filter((line) => line !== '');
  return { text, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** What mysql2 and the ORM throw: the statement is in the message, in the stack and in a field. */
function driverError(): Error {
  const sql = `insert into code (tenant_id, code_text) values ('T_1', '${CODE}')`;
  const error = new Error(`${sql} - Duplicate entry 'T_1-${PLAIN_CODE}' for key 'uq_code__tenant_digest'`);
  return Object.assign(error, {
    code: 'ER_DUP_ENTRY',
    errno: 1062,
    sql,
    sqlMessage: `Duplicate entry '${CODE}' for key`,
  });
}

const PLANTED: Readonly<Record<string, (log: Logger) => void>> = {
  'a code in GraphQL variables': (log) => log.info({ variables: { input: { code: CODE } } }, 'refused'),
  'a list of codes': (log) => log.info({ codes: [CODE, PLAIN_CODE] }, 'imported'),
  'a code of digits only': (log) => log.info({ code: Number('123456789012') }, CODE.slice(0, 0)),
  'a code in a message': (log) => log.warn(`cannot redeem code ${CODE} twice`),
  'a code in a message without dashes': (log) => log.warn(`Code "${PLAIN_CODE}" is unknown`),
  'a code in a formatted message': (log) => log.warn('variables: %s', JSON.stringify({ code: PLAIN_CODE })),
  'a code in a formatted object': (log) => log.warn('variables: %j', { code: PLAIN_CODE }),
  "a code in an error's message": (log) => log.error({ err: new Error(`code=${CODE} broke`) }, 'failed'),
  'an error alone': (log) => log.error(new Error(`code ${PLAIN_CODE} broke`)),
  "a code in the cause's message": (log) =>
    log.error({ err: new Error('outer', { cause: new Error(`code: ${PLAIN_CODE}`) }) }, 'failed'),
  'a statement in a driver error': (log) => log.error({ err: driverError() }, 'failed'),
  'a token in headers': (log) =>
    log.info({ req: { headers: { authorization: `Bearer ${JWT}`, cookie: `s=${JWT}` } } }),
  'a token in a message': (log) => log.info(`signed ${JWT} for you`),
  'a token deep inside': (log) => log.info({ a: { b: [{ c: { accessToken: JWT } }] } }, 'deep'),
  'a database address': (log) => log.info({ databaseUrl: DATABASE_URL }, `connecting to ${DATABASE_URL}`),
  'a pepper in settings': (log) =>
    log.info({ config: { CODE_PEPPER: PEPPER, JWT_SECRET: PEPPER } }, 'settings'),
  'a pepper in a message': (log) => log.fatal(`CODE_PEPPER=${PEPPER} is too short`),
  'a pepper in nested JSON text': (log) =>
    log.info(JSON.stringify({ body: JSON.stringify({ pepper: PEPPER, code: CODE }) })),
  "a child logger's fields": (log) => log.child({ token: JWT }).child({ url: DATABASE_URL }).info('here'),
  'an API key in a message': (log) => log.warn(`asked with ${API_KEY} twice`),
  'a secret of a webhook in a message': (log) => log.warn(`signed by ${WEBHOOK_SECRET}.`),
  'a secret of a captcha': (log) => log.info({ captchaSecret: 'of-a-captcha' }, 'settings'),
  'an invitation and a refresh token in a message': (log) => log.warn(`not ${INVITATION}, nor ${REFRESH}.`),
  'a code that links a device': (log) => log.info({ input: { linkCode: 'LNKCDE234567' } }, 'input'),
  'a map': (log) => log.info({ headers: new Map([['authorization', JWT]]) }, 'map'),
};

class Holder {
  readonly secretKey = PLAIN_CODE;
}

describe('the log', () => {
  it.each(Object.entries(PLANTED))('does not tell %s', (_what, use) => {
    const { text, lines } = written(use);
    expect(lines).toHaveLength(1);
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(text).not.toContain('123456789012');
  });

  it('keeps what helps: ids, facts, numbers, times, stacks', () => {
    const fields = {
      codeId: '218040312984367104',
      campaignId: '218040312984367105',
      code: 'CODE_EXPIRED',
      codes: 1000,
      at: new Date('2026-01-31T12:00:00.000Z'),
      orderNo: 'R20260131ABCDEFGH',
    };
    const { lines } = written((log) =>
      log.info(fields, 'code 218040312984367104x of campaign A was refused'),
    );
    expect(lines[0]).toMatchObject({ ...fields, at: '2026-01-31T12:00:00.000Z' });
  });

  it('writes of an error its type, number, fact and place', () => {
    const { lines } = written((log) => {
      log.error({ err: driverError() }, 'failed');
      log.warn({ err: new DomainError('CODE_EXPIRED', 'The code has expired.') }, 'refused');
    });
    expect(lines[0]?.['err']).toMatchObject({
      type: 'Error',
      code: 'ER_DUP_ENTRY',
      errno: 1062,
      message:
        "insert into code (tenant_id, code_text) values ('?', '?') - Duplicate entry '?' for key 'uq_code__tenant_digest'",
      stack: expect.stringContaining('log.test.ts') as string,
    });
    expect(lines[1]?.['err']).toMatchObject({
      type: 'DomainError',
      code: 'CODE_EXPIRED',
      message: 'The code has expired.',
    });
  });

  it('writes one JSON object a line, with the request id on each', () => {
    const { lines } = written((log) => {
      const request = requestLog(log, 'r-1');
      request.info('one\ntwo');
      request.child({ step: 'claim' }).warn({ a: 1 }, 'three');
    });
    expect(lines).toMatchObject([
      { requestId: 'r-1', msg: 'one\ntwo', level: 30 },
      { requestId: 'r-1', step: 'claim', a: 1, msg: 'three', level: 40 },
    ]);
  });

  it('survives what cannot be written as JSON', () => {
    const circular: Record<string, unknown> = { big: 5n, bytes: new Uint8Array(3), own: new Holder() };
    circular['self'] = circular;
    expect(written((log) => log.info(circular, 'odd')).lines[0]).toMatchObject({
      big: '5',
      bytes: '[bytes]',
      msg: 'odd',
    });
  });
});

describe('scrub', () => {
  it.each([
    'code CODE_EXPIRED answered in 12 ms',
    'campaign 218040312984367104 has 1000 codes generated already',
    'the code generator finished batch 218040312984367104',
    'code expired yesterday evening',
    'GET http://localhost:4000/graphql 200',
    'errors: [{ code: UNAUTHENTICATED }]',
    'tokens left: 5 of 10',
  ])('leaves "%s" alone', (text) => {
    expect(scrub(text)).toBe(text);
  });
});
