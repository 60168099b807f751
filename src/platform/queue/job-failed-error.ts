/** An attempt at a job failed. Redis keeps the message with the job, so it is a code alone; the log has the cause. */
export class JobFailedError extends Error {
  override readonly name = 'JobFailedError';

  constructor(code: string, cause: unknown) {
    super(code, { cause });
  }
}
