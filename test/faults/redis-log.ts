import path from 'node:path';

/** Where Redis keeps the log from which it starts again. */
export const logFolder = (dataDir: string): string => path.join(dataDir, 'appendonlydir');
