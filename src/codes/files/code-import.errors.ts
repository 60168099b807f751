/** Why an import does not begin, in order of precedence. */
export const IMPORT_CODES_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'IDEMPOTENCY_KEY_REQUIRED',
  'INPUT_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_REUSED',
  'CAMPAIGN_NOT_FOUND',
  'CAMPAIGN_ENDED',
] as const;
/** Also why one that has begun stops; pages that were taken before stay. */
export type ImportRefusal =
  | (typeof IMPORT_CODES_REFUSALS)[number]
  | 'IMPORT_NOT_FOUND'
  | 'IMPORT_HEADER_MISSING'
  | 'IMPORT_FILE_DIFFERS'
  | 'IMPORT_FILE_MISSING'
  | 'IMPORT_RUNS_ELSEWHERE'
  | 'IMPORT_HAS_FILE'
  | 'IMPORT_FILE_TOO_LARGE'
  | 'BATCH_VOIDED'
  | 'BATCH_CANCELLED';

/** Why an import stops that failed again and again: its file cannot be decrypted, or the log has the reason. */
export type ImportFailure = 'IMPORT_PEPPER_MISSING' | 'RETRIES_EXHAUSTED';

/** Why a line of a file is not taken. */
export const IMPORT_LINE_REFUSALS = [
  'LINE_NOT_READABLE',
  'CODE_MISSING',
  'CODE_TEXT_NOT_ALLOWED',
  'USE_LIMIT_OUT_OF_RANGE',
  'WINDOW_NOT_ALLOWED',
  'CODE_REPEATED',
  'CODE_EXISTS',
  'USER_NOT_FOUND',
] as const;
export type ImportLineRefusal = (typeof IMPORT_LINE_REFUSALS)[number];
