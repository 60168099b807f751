import { STATUS_CODES } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { AnswerAbout, HttpRoute, RouteAbout } from '../graphql/http-route.js';
import type { Rule } from '../graphql/rule.js';
import { FILE_TYPES, type FeatureRouteParts } from './feature-routes.js';
import { JsonSchemas, type JsonSchema } from './json-schemas.js';
import { COMMON_STATUS } from './route-refusal.js';

const OPENAPI_PATH = '/api/openapi.json';
const VERSION = '1';
const DESCRIPTION =
  'The HTTP routes beside GraphQL. Most of the product is behind `/graphql`; its schema describes itself. Every refusal has a code: programs go by the code, the message is for people.';

/** Refusals that no route has to name, by when they can come. */
const ALWAYS = [
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'UNAUTHENTICATED',
  'INTERNAL_SERVER_ERROR',
  'SERVICE_UNAVAILABLE',
];
const WITH_BODY = ['REQUEST_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const WITH_RULE = [
  'FORBIDDEN',
  'TENANT_NOT_ACTIVE',
  'USER_DISABLED',
  'NODE_NOT_FOUND',
  'SESSION_ENDED',
  'API_KEY_REVOKED',
  'API_KEY_EXPIRED',
  'PARTNER_DISABLED',
];
const OF_REDEMPTION = ['RATE_LIMITED'];

const RETRY_AFTER = {
  'retry-after': { description: 'Seconds until the call can be repeated.', schema: { type: 'integer' } },
};
const SAYS_WHEN: ReadonlySet<number> = new Set([429, 503]);

/** Serves the document of all routes of the features, made from what the routes say of themselves. */
export function addOpenApi(scope: FastifyInstance, { routes, rules }: FeatureRouteParts): void {
  const offered = routes.filter(({ isInternal }) => isInternal !== true);
  const text = JSON.stringify(openApiOf(offered, (route) => rules.of(route.method, route.path)));
  scope.get(OPENAPI_PATH, { exposeHeadRoute: false }, async (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(text),
  );
}

/** An OpenAPI 3.1 document. */
function openApiOf(routes: readonly HttpRoute[], ruleOf: (route: HttpRoute) => Rule): object {
  const schemas = new JsonSchemas();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(route, ruleOf(route), schemas),
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Redeemkit', version: VERSION, description: DESCRIPTION },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { ...schemas.named, Refusal: REFUSAL },
    },
  };
}

function operationOf({ about, isRedemption }: HttpRoute, rule: Rule, schemas: JsonSchemas): object {
  const { id, summary, description, takes } = about;
  const parameters = (['path', 'query', 'headers'] as const).flatMap((place) =>
    schemas.fieldsOf(about[place]).map(({ name, required, schema }) => {
      const { description: says, ...rest } = schema;
      const where = place === 'headers' ? 'header' : place;
      return { name, in: where, required, ...(says !== undefined && { description: says }), schema: rest };
    }),
  );
  const refusals = refusalsOf(about, { rule, isRedemption: isRedemption === true });
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    security: rule === 'PUBLIC' ? [] : [{ token: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(takes !== undefined && { requestBody: { required: true, content: contentOf(takes, schemas) } }),
    responses: { ...answersOf(about, schemas), ...refusedOf(about, refusals, schemas) },
  };
}

function contentOf({ kind, schema }: NonNullable<RouteAbout['takes']>, schemas: JsonSchemas): object {
  if (kind === 'FILE') return Object.fromEntries(FILE_TYPES.map((type) => [type, {}]));
  return { 'application/json': schema === undefined ? {} : { schema: schemas.of(schema, 'input') } };
}

function answersOf({ answers }: RouteAbout, schemas: JsonSchemas): Record<string, object> {
  const shown = ({ description, contentType, schema }: AnswerAbout): object => ({
    description,
    content: { [contentType]: schema === undefined ? {} : { schema: schemas.of(schema, 'output') } },
  });
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, shown(answer)]));
}

/** One answer for each status, which names its codes. */
function refusedOf(
  { refusalSchema }: RouteAbout,
  refusals: Readonly<Record<string, number>>,
  schemas: JsonSchemas,
): Record<string, object> {
  const schema =
    refusalSchema === undefined
      ? { $ref: '#/components/schemas/Refusal' }
      : schemas.of(refusalSchema, 'output');
  const byStatus = Map.groupBy(Object.entries(refusals), ([, status]) => status);
  const shown = [...byStatus].map(([status, entries]) => {
    const codes = entries.map(([code]) => `\`${code}\``).join(', ');
    const headers = SAYS_WHEN.has(status) && { headers: RETRY_AFTER };
    const description = `${STATUS_CODES[status]}: ${codes}.`;
    return [
      String(status),
      { description, ...headers, content: { 'application/json': { schema } } },
    ] as const;
  });
  return Object.fromEntries(shown);
}

function refusalsOf(
  { refusals, takes }: RouteAbout,
  { rule, isRedemption }: { readonly rule: Rule; readonly isRedemption: boolean },
): Record<string, number> {
  const common = [
    ...ALWAYS,
    ...(takes === undefined ? [] : WITH_BODY),
    ...(rule === 'PUBLIC' ? [] : WITH_RULE),
    ...(isRedemption ? OF_REDEMPTION : []),
  ];
  return { ...Object.fromEntries(common.map((code) => [code, COMMON_STATUS[code] ?? 500])), ...refusals };
}

const REFUSAL: JsonSchema = {
  type: 'object',
  description: 'The form of every refusal, unless a route has its own.',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['message', 'extensions'],
        properties: {
          message: { type: 'string' },
          extensions: { type: 'object', required: ['code'], properties: { code: { type: 'string' } } },
        },
      },
    },
  },
};
