import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** The files of `src` in which a function runs while the work does, as the JavaScript engine counts them. */
export async function filesRun(work: () => Promise<unknown>): Promise<string[]> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    // Counts begin here: what is taken once is not counted again.
    await session.post('Profiler.takePreciseCoverage');
    await work();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const paths = result.flatMap(({ url, functions }) => {
      const path = url.startsWith('file:') ? fileURLToPath(url) : url;
      const hasRun = functions.some(({ ranges }) => ranges.some(({ count }) => count > 0));
      return hasRun && path.startsWith(SRC) ? [path.slice(SRC.length)] : [];
    });
    return [...new Set(paths)].toSorted();
  } finally {
    session.disconnect();
  }
}
