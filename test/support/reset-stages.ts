import { frame, RawConnection, upgradeRequest } from './raw-connection.js';

/** Brings a connection to a stage; it is reset there. */
type Stage = (url: string, token: string) => Promise<RawConnection>;

const BODY = JSON.stringify({ query: '{ __typename }' });
const post = (length: number, ...lines: string[]): string =>
  [
    'POST /graphql HTTP/1.1',
    'host: x',
    'content-type: application/json',
    `content-length: ${length}`,
    ...lines,
    '',
    '',
  ].join('\r\n');

const sent =
  (...parts: readonly (string | Buffer)[]): Stage =>
  async (url) => {
    const connection = await RawConnection.open(url);
    for (const part of parts) connection.send(part);
    return connection;
  };

const said =
  (...messages: readonly (object | string | Buffer)[]): Stage =>
  async (url) => {
    const connection = await RawConnection.upgraded(url);
    for (const message of messages) {
      if (Buffer.isBuffer(message)) connection.send(message);
      else connection.say(message);
    }
    return connection;
  };

const acknowledged =
  (...messages: readonly (object | Buffer)[]): Stage =>
  async (url, token) => {
    const connection = await RawConnection.upgraded(url);
    const payload = { authorization: `Bearer ${token}`, 'x-product-code': 'DEMO' };
    connection.say({ type: 'connection_init', payload });
    await connection.answers(/connection_ack/);
    for (const message of messages) {
      if (Buffer.isBuffer(message)) connection.send(message);
      else connection.say(message);
    }
    return connection;
  };

const operation = (query: string, id = '1') => ({ id, type: 'subscribe', payload: { query } });
const REDEEM = 'mutation { redeemCode(input: { code: "AAAA-BBBB-CCCC-DDDD" }) { status errors { code } } }';
const SUBSCRIPTION = 'subscription { redemptionSettled { eventId } }';

export const HTTP_STAGES: Readonly<Record<string, Stage>> = {
  'before any byte': sent(),
  'in the request line': sent('POST /graph'),
  'in the headers': sent('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-ty'),
  'before the body': sent(post(100)),
  'in the body': sent(post(100), '{"query":'),
  'in a chunk of the body': sent(
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{"que',
  ),
  'after the request': sent(post(BODY.length), BODY),
  'after a request that waits for 100-continue': sent(post(BODY.length, 'expect: 100-continue')),
  'after the request of a redemption': async (url, token) => {
    const body = JSON.stringify({ query: REDEEM });
    return sent(post(body.length, `authorization: Bearer ${token}`, 'x-product-code: DEMO'), body)(
      url,
      token,
    );
  },
  'in the answer': async (url, token) => {
    const body = JSON.stringify({ query: '{ __schema { types { name fields { name } } } }' });
    const connection = await sent(post(body.length), body)(url, token);
    await connection.answers(/HTTP\/1\.1 200/);
    return connection;
  },
  'after many requests at once': sent(...Array.from({ length: 50 }, () => post(BODY.length) + BODY)),
  'after a request line that is none': sent('\u0016\u0003\u0001 not HTTP at all\r\n\r\n'),
  'after headers that are too long': sent(`GET / HTTP/1.1\r\nhost: x\r\nx-pad: ${'x'.repeat(20_000)}\r\n`),
  'after a body that is no JSON': sent(post(5), '{"que'),
  'after a CONNECT': sent('CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n'),
};

export const UPGRADE_STAGES: Readonly<Record<string, Stage>> = {
  'to the right path': sent(upgradeRequest()),
  'to another path': sent(upgradeRequest('/x')),
  'to a path that is none': sent(upgradeRequest('http://[')),
  'to another protocol': sent(upgradeRequest('/graphql', { upgrade: 'h2c' })),
  'of another version': sent(upgradeRequest('/graphql', { 'sec-websocket-version': '7' })),
  'with a bad key': sent(upgradeRequest('/graphql', { 'sec-websocket-key': 'short' })),
  'without a key': sent(upgradeRequest('/graphql', { 'sec-websocket-key': null })),
  'with a bad list of protocols': sent(upgradeRequest('/graphql', { 'sec-websocket-protocol': ',,' })),
  'by POST with a body': sent(post(BODY.length, 'connection: Upgrade', 'upgrade: websocket'), BODY),
  'with the first frame behind it': sent(
    Buffer.concat([Buffer.from(upgradeRequest()), frame('{"type":"ping"}')]),
  ),
  'to another path, with data behind it': sent(upgradeRequest('/x') + 'x'.repeat(100_000)),
};

export const SOCKET_STAGES: Readonly<Record<string, Stage>> = {
  'before connection_init': said(),
  'in the head of a frame': said(frame('{"type":"connection_init"}').subarray(0, 1)),
  'in a frame': said(frame('{"type":"connection_init"}').subarray(0, 12)),
  'after a frame that no client may send': said(Buffer.from([0xf1, 0x05, 1, 2, 3])),
  'after a frame of 2^62 bytes': said(Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])),
  'after text that is no UTF-8': said(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff])),
  'after a message that is none': said('nonsense'),
  'after a message that only servers send': said({ type: 'connection_ack' }),
  'after connection_init': said({ type: 'connection_init' }),
  'after a bad token': said({ type: 'connection_init', payload: { authorization: 'Bearer x' } }),
  'after the acknowledgement': acknowledged(),
  'after pings': acknowledged(...Array.from({ length: 50 }, () => frame('x', 9)), { type: 'ping' }),
  'in an operation': acknowledged(operation('{ mySubscriptions { id } }'), operation(REDEEM, '2')),
  'in a subscription': acknowledged(operation(SUBSCRIPTION)),
  'in a subscription that catches up': acknowledged(
    operation('subscription { redemptionSettled(after: "0") { eventId } }'),
  ),
  'in many operations': acknowledged(
    ...Array.from({ length: 60 }, (_, at) => operation(at % 2 === 0 ? REDEEM : SUBSCRIPTION, String(at))),
  ),
  'after two operations of one long id': acknowledged(
    operation(SUBSCRIPTION, 'ä'.repeat(5000)),
    operation(SUBSCRIPTION, 'ä'.repeat(5000)),
  ),
  'in the closing': acknowledged(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])),
};
