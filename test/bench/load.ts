/**
 * The load generator, a separate process. Of autocannon, `node:http` and undici's clients, `dispatch` of undici
 * takes the least of a processor for a request (about 0.4 of the others), and what it takes the server cannot have.
 */
import { Client, type Dispatcher } from 'undici';
import { openReplies, sealRequests } from './envelopes.js';
import type { Answer, LoadJob, LoadRequest, LoadResult } from './load-job.js';

const FIELDS = `status orderNo
  redemption { id status codeId campaignId userId useNo productCode claimedAt settledAt
    rewards { type status sourceId targetId value } }
  errors { code message field retryAfterMs }`;

/** A request without an answer counts as failed, and the run continues. */
const ANSWER_WITHIN_MS = 20_000;

interface Sendable extends Dispatcher.DispatchOptions {
  readonly headers: Record<string, string>;
  readonly body: string;
}

process.on('message', (job: LoadJob) => {
  runJob(job).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

/** Each connection sends its next request when the last one is answered; everything is made ready before the clock runs. */
async function runJob(job: LoadJob): Promise<LoadResult> {
  const plain = job.requests.map((request) => sendable(request, job));
  const clients = await connected(job);
  const sealed = job.envelope === null ? null : await sealRequests(clients, plain, job.envelope);
  const requests = sealed ?? plain;
  const latenciesMs = new Float64Array(requests.length);
  const bodies = requests.map(() => '');
  let next = 0;
  const work = async (client: Client): Promise<void> => {
    for (let at = next; at < requests.length; at = next) {
      next += 1;
      const sentMs = performance.now();
      bodies[at] = await send(client, requests[at] as Sendable);
      latenciesMs[at] = performance.now() - sentMs;
    }
  };
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(clients.map(work));
  const elapsedMs = performance.now() - startMs;
  const cpu = process.cpuUsage(cpuBefore);
  await Promise.all(clients.map(async (client) => client.close()));
  const plainBodies = sealed === null ? bodies : openReplies(bodies, sealed);
  const answers = plainBodies.map((body) => answerOf(body, job.mutation));
  return { elapsedMs, latenciesMs, answers, cpuMs: (cpu.user + cpu.system) / 1000 };
}

async function connected({ urls, connections }: LoadJob): Promise<Client[]> {
  const timeouts = { headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS };
  const clients = Array.from(
    { length: connections },
    (_, at) => new Client(urls[at % urls.length] as string, timeouts),
  );
  await Promise.all(
    clients.map(async (client) => {
      const { body } = await client.request({ path: '/healthz', method: 'GET' });
      await body.dump();
    }),
  );
  return clients;
}

function sendable(
  { token, code, idempotencyKey, ip }: LoadRequest,
  { mutation, productCode }: LoadJob,
): Sendable {
  const query = `mutation Redeem($input: RedeemCodeInput!) { ${mutation}(input: $input) { ${FIELDS} } }`;
  return {
    path: '/graphql',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'x-product-code': productCode,
      'x-forwarded-for': ip,
    },
    body: JSON.stringify({ query, variables: { input: { code, idempotencyKey } } }),
  };
}

/** The body of the reply, or an empty text when there was none. */
async function send(client: Client, request: Sendable): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    client.dispatch(request, {
      onRequestStart: () => undefined,
      onResponseStart: () => undefined,
      onResponseData: (_controller, chunk) => {
        chunks.push(chunk);
      },
      onResponseEnd: () => resolve(Buffer.concat(chunks).toString()),
      onResponseError: (_controller, error) =>
        resolve(JSON.stringify({ errors: [{ message: error.message }] })),
    });
  });
}

interface Reply {
  readonly data?: Record<string, ReplyPayload | null> | null;
  readonly errors?: readonly { readonly message: string }[];
}

interface ReplyPayload {
  readonly status: Answer['status'];
  readonly orderNo: string | null;
  readonly redemption: { readonly id: string } | null;
  readonly errors: readonly { readonly code: string }[];
}

function answerOf(body: string, mutation: string): Answer {
  const reply = parsed(body);
  const payload = reply.data?.[mutation];
  if (payload === undefined || payload === null) {
    const why = reply.errors?.[0]?.message ?? 'no answer';
    return { status: 'FAILED', redemptionId: null, orderNo: null, why };
  }
  const { status, orderNo, redemption, errors } = payload;
  return { status, orderNo, redemptionId: redemption?.id ?? null, why: errors[0]?.code ?? null };
}

function parsed(body: string): Reply {
  try {
    return JSON.parse(body) as Reply;
  } catch {
    return { errors: [{ message: `not JSON: ${body.slice(0, 80)}` }] };
  }
}
