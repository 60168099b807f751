import { RequestFailure } from './failure';
import { session } from './session';

/** Fetches a file as the member of staff who is signed in, and lets the browser save it. */
export async function download(path: string, name: string): Promise<void> {
  const token = await session.accessToken();
  const reply = await fetch(path, token === null ? {} : { headers: { authorization: `Bearer ${token}` } });
  if (!reply.ok) throw new RequestFailure('FAILED', `The file could not be read (status ${reply.status}).`);
  const url = URL.createObjectURL(await reply.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
