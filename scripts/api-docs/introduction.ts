/** How the page of all operations begins. */
export const INTRODUCTION = `# API reference

Every operation of the GraphQL schema, with its arguments, who may use it, its refusals and an example. The pages are made
from the schema, the table of permissions and the examples in [examples/api](../examples/api) by \`npm run api-docs\`;
a test sends every example to a server and compares the answer. [schema.graphql](../../schema.graphql) is the whole schema.

## Calling

\`POST /graphql\` with \`content-type: application/json\` and \`{"query": …, "variables": …}\`. Subscriptions take a WebSocket
to the same address (\`graphql-transport-ws\`), with the headers in the payload of \`connection_init\`.

| header | says |
|---|---|
| \`authorization: Bearer …\` | who calls: the token of a user, a member of staff or a node, or a partner's API key |
| \`x-product-code\` | the product line at which a user redeems |
| \`idempotency-key\` | the same as \`idempotencyKey\` of an input: a repeated call gets the same answer and happens once |
| \`x-device-id\` | the device, for limits of attempts |
| \`x-tenant-id\` | the tenant, for operations before a sign-in |

- **Two kinds of errors.** A payload's \`errors\` are refusals: the answer is no. After \`SERVICE_UNAVAILABLE\` the outcome is not
  known: repeat the call with the same key. \`errors\` beside \`data\` mean that the operation could not run
  ([errors](../errors.md)).
- **Ids** are strings. **Money** is \`Decimal\`, a string such as \`"12.50"\`. **Instants** are ISO 8601 in UTC.
- **Versions.** \`expectedVersion\` refuses a change with \`VERSION_CONFLICT\` where another change came first.

## Lists

A list answers \`total\` and \`items\`, the newest first unless its page says otherwise, and \`next\` where it takes \`after\`. \`size\` is 15 if it is missing, and 500 at most. \`page\` counts
from 1. Better is \`after\`, the \`next\` of the page before: it answers the rows that follow, whatever was added meanwhile.

## Subscriptions

An event has a \`cursor\`, except those of \`rateLimitUsageChanged\`. \`after\` begins with the event behind that cursor and goes on live, each event once and in order;
\`"0"\` is before the first. Without \`after\` only new events come. The examples show the first event.

## Examples

Each is the operation, its variables and the answer. They are one story: a new tenant is filled, and each example uses ids
that others have answered. Ids, instants and codes are samples; \`…\` stands for a text that is not shown. Send them with the
values of your own installation.

## Operations
`;
