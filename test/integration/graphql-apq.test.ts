import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scanKeys } from '../../src/platform/redis/redis-nodes.js';
import { graphqlRequest, type GraphqlHttpAnswer } from '../support/graphql-client.js';
import { startTransport, USER, type TransportServer } from '../support/transport-server.js';

let one: TransportServer;
let other: TransportServer;

beforeAll(async () => {
  one = await startTransport();
  other = await startTransport();
});
afterAll(async () => {
  await Promise.all([one?.close(), other?.close()]);
});

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const newText = () => `query Q${randomUUID().replaceAll('-', '')} ($text: String!) { echo(text: $text) }`;
const variables = { text: 'what was asked' };

async function persisted(
  url: string,
  hash: string,
  query?: string,
): Promise<GraphqlHttpAnswer<{ echo: string }>> {
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };
  return graphqlRequest(url, { extensions, variables, ...(query === undefined ? {} : { query }) });
}

const codeOf = (answer: GraphqlHttpAnswer<unknown>) => answer.errors?.[0]?.extensions.code;

describe('automatic persisted queries', () => {
  it('asks for an unknown text, keeps it for a day at most, and then runs it by its hash in every process', async () => {
    const text = newText();
    const hash = hashOf(text);
    expect(codeOf(await persisted(one.url, hash))).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect((await persisted(one.url, hash, text)).data?.echo).toBe(variables.text);
    const slot = `apq:${hash.slice(0, 3)}`;
    const storedText = async (): Promise<string | null> => {
      // Apollo answers without waiting until the text is stored. Where Redis took too long, the next sender stores it.
      await persisted(one.url, hash, text);
      return one.redis.get(slot);
    };
    await expect.poll(storedText).toBe(hash + text);
    const answer = await persisted(other.url, hash);
    expect(answer.data?.echo).toBe(variables.text);
    const ttlS = await one.redis.ttl(slot);
    expect(ttlS).toBeGreaterThan(86_000);
    expect(ttlS).toBeLessThanOrEqual(86_400);
  });

  it('refuses a text under the hash of another, and keeps nothing', async () => {
    const hash = hashOf(newText());
    expect((await persisted(one.url, hash, newText())).status).toBe(400);
    expect(codeOf(await persisted(one.url, hash))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  it('keeps no text that the limits refuse', async () => {
    const text = `{ ${Array.from({ length: 16 }, (_, at) => `a${at}: echo(text: "${randomUUID()}")`).join(' ')} }`;
    expect((await persisted(one.url, hashOf(text), text)).status).toBe(400);
    expect(codeOf(await persisted(one.url, hashOf(text)))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  it('runs a very long text, but does not keep it', async () => {
    const text = `{ echo(text: "${randomUUID()}${'x'.repeat(20_000)}") }`;
    expect((await persisted(one.url, hashOf(text), text)).status).toBe(200);
    expect(codeOf(await persisted(one.url, hashOf(text)))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  it.each([
    ['an argument', (code: string) => `{ echo(text: "${code}") }`],
    ['a block string', (code: string) => `{ echo(text: """${code}""") }`],
    [
      'a default of a variable',
      (code: string) => `query ($text: String = "${code}") { other: echo(text: $text) }`,
    ],
    ['a fragment', (code: string) => `{ ...F } fragment F on Query { echo(text: "${code}") }`],
  ])(
    'runs a text with a code in %s, leaves no trace of it in Redis, and says why',
    async (_where, textOf) => {
      const code = `SECRET-${randomUUID()}`;
      const text = textOf(code);
      const hash = hashOf(text);
      expect((await persisted(one.url, hash, text)).status).toBe(200);
      const again = await persisted(one.url, hash);
      expect(again.errors?.[0]).toMatchObject({
        message: 'PersistedQueryNotFound',
        extensions: { advice: expect.stringContaining('Send values as variables') as string },
      });
      expect(codeOf(await persisted(other.url, hash))).toBe('PERSISTED_QUERY_NOT_FOUND');
      for await (const keys of scanKeys(one.redis, 'apq:*', 1000)) {
        for (const key of keys) expect(await one.redis.get(key)).not.toContain(code);
      }
    },
  );

  it('takes a hash by GET from a client that sends a token and no content type', async () => {
    const text = newText();
    const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: hashOf(text) } });
    const search = new URLSearchParams({ extensions, variables: JSON.stringify(variables) });
    const get = async (headers: Record<string, string>) => {
      const reply = await fetch(`${one.url}/graphql?${search.toString()}`, { headers });
      return { status: reply.status, body: await reply.text() };
    };
    await persisted(one.url, hashOf(text), text);
    const token = one.tokens.sign(USER, 60);
    expect(await get({ authorization: `Bearer ${token}` })).toMatchObject({
      status: 200,
      body: expect.stringContaining(variables.text) as string,
    });
    expect((await get({})).status).toBe(400);
  });

  it('takes a hash that is none for an unknown one, and asks Redis for no such key', async () => {
    expect(codeOf(await persisted(one.url, '*'.repeat(64)))).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect(codeOf(await persisted(one.url, 'x'.repeat(100_000)))).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  it('fails no request while Redis is away', async () => {
    const alone = await startTransport({ redisUrl: 'redis://127.0.0.1:1' });
    const text = newText();
    expect(codeOf(await persisted(alone.url, hashOf(text)))).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect((await persisted(alone.url, hashOf(text), text)).status).toBe(200);
    expect((await persisted(alone.url, hashOf(text))).status).toBe(200);
    expect((await graphqlRequest(alone.url, { query: newText(), variables })).status).toBe(200);
    await alone.close();
  });
});
