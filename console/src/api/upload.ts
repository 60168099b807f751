import { failureOf, RequestFailure } from './failure';
import { session } from './session';

/**
 * Sends a file as CSV. `fetch` does not tell how much of a body is sent.
 * @param onPart gets the part that is sent, 0 to 1
 */
export async function uploadCsv(path: string, file: File, onPart: (part: number) => void): Promise<void> {
  const token = await session.accessToken();
  await new Promise<void>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', path);
    request.setRequestHeader('content-type', 'text/csv');
    if (token !== null) request.setRequestHeader('authorization', `Bearer ${token}`);
    request.upload.addEventListener('progress', ({ loaded, total }) => onPart(loaded / Math.max(total, 1)));
    request.addEventListener('load', () => {
      if (request.status < 400) resolve();
      else reject(failureOf(request.status, request.responseText));
    });
    request.addEventListener('error', () =>
      reject(
        new RequestFailure('NETWORK', 'The connection broke. Nothing of the file counts: send it again.'),
      ),
    );
    request.send(file);
  });
}
