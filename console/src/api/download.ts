import { failureOf, RequestFailure } from './failure';
import { session } from './session';

/** Fetches a file as the member of staff who is signed in. */
export async function fetchFile(path: string): Promise<Blob> {
  const token = await session.accessToken();
  const headers = token === null ? {} : { headers: { authorization: `Bearer ${token}` } };
  const reply = await fetch(path, headers).catch(() => {
    throw new RequestFailure('NETWORK', 'The server cannot be reached. Check the connection and try again.');
  });
  if (!reply.ok) throw failureOf(reply.status, await reply.text());
  return reply.blob();
}

/** Fetches a file, and lets the browser save it. */
export async function download(path: string, name: string): Promise<void> {
  save(await fetchFile(path), name);
}

/** Lets the browser save what the page has. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
