import { graphqlRequest } from './graphql-client.js';

/** Codes of another system, each once. */
export const foreignCodes = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `FGN${String(index).padStart(9, 'X')}`);

interface ImportState {
  readonly id: string;
  readonly linesDone: number;
  readonly imported: number;
  readonly refused: number;
  readonly refusal: string | null;
  readonly finishedAt: string | null;
}

const FIELDS = 'id linesDone imported refused refusal finishedAt';

/** Begins an import over GraphQL, or lets one continue. */
export async function beginImport(
  url: string,
  token: string,
  input: { readonly campaignId: string; readonly idempotencyKey: string },
): Promise<{
  readonly codeImport: ImportState | null;
  readonly errors: readonly { readonly code: string }[];
}> {
  const query = `mutation ($input: ImportCodesInput!) { importCodes(input: $input) { codeImport { ${FIELDS} } errors { code } } }`;
  const { data } = await graphqlRequest<{
    importCodes: { codeImport: ImportState | null; errors: { code: string }[] };
  }>(url, { query, token, variables: { input } });
  if (!data) throw new Error('The import was not answered.');
  return data.importCodes;
}

export async function importState(url: string, token: string, id: string): Promise<ImportState> {
  const query = `query ($id: ID!) { codeImport(id: $id) { ${FIELDS} } }`;
  const { data } = await graphqlRequest<{ codeImport: ImportState }>(url, {
    query,
    token,
    variables: { id },
  });
  if (!data) throw new Error('The import was not answered.');
  return data.codeImport;
}

/** One call of a route for files. */
export async function fileRequest(
  url: string,
  token: string | null,
  path: string,
  body?: string,
): Promise<Response> {
  const headers = new Headers();
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  if (body === undefined) return fetch(`${url}${path}`, { headers });
  headers.set('content-type', 'text/csv');
  return fetch(`${url}${path}`, { method: 'PUT', headers, body });
}
