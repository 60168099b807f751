import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphqlRequest, type GraphqlHttpAnswer } from '../support/graphql-client.js';
import { startTransport, type TransportServer } from '../support/transport-server.js';

let one: TransportServer;
let other: TransportServer;

beforeAll(async () => {
  one = await startTransport();
  other = await startTransport();
});
afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
});

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const newText = () => `{ echo(text: "${randomUUID()}") }`;

async function persisted(
  url: string,
  hash: string,
  query?: string,
): Promise<GraphqlHttpAnswer<{ echo: string }>> {
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };
  return graphqlRequest(url, { extensions, ...(query === undefined ? {} : { query }) });
}

const codeOf = (answer: GraphqlHttpAnswer<unknown>) => answer.errors?.[0]?.extensions.code;

describe('automatic persisted queries', () => {
  it('asks for an unknown text, keeps it for a day at most, and then runs it by its hash in every process', async () => {
    const text = newText();
    const hash = hashOf(text);
    expect(codeOf(await persisted(one.url, hash))).toBe('PERSISTED_QUERY_NOT_FOUND');
    expect((await persisted(one.url, hash, text)).data?.echo).toBeTypeOf('string');
    const answer = await persisted(other.url, hash);
    expect(text).toContain(answer.data?.echo);
    const ttlS = await one.redis.ttl(`apq:${hash.slice(0, 3)}`);
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
    expect((await graphqlRequest(alone.url, { query: newText() })).status).toBe(200);
    await alone.close();
  });
});
