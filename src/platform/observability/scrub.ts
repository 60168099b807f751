/** Stands for what was taken out. */
const REDACTED = '[redacted]';

/**
 * Names under which secrets and whole codes travel, in any spelling (`access_token`, `accessToken`, `X-Api-Key`).
 * Whole names only: `codeId`, `codes_issued` or `tokenCount` tell nothing.
 */
const SECRET_NAMES = new Set(
  `authorization proxyauthorization cookie setcookie password newpassword currentpassword passwd totpcode invitationtoken secret
   previoussecret totpsecret clientsecret captchasecret devicesecret captchatoken flowtoken linkcode jwtsecret pepper codepepper token
   accesstoken refreshtoken idtoken apikey xapikey privatekey code codes codetext plaintext codeplaintext`.split(
    /\s+/,
  ),
);

const DEPTH_MAX = 8;
const ITEMS_MAX = 100;

/** Facts such as `CODE_EXPIRED`, `ER_DUP_ENTRY`, `ECONNREFUSED`: errors have a `code` too. Codes have no underscore. */
const FACT = /^(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|E[A-Z]{4,15}|UNAUTHENTICATED|FORBIDDEN)$/;

/**
 * Rules for text in which nothing has a name. Each takes out what it is sure of and leaves ids, times and words:
 * no rule covers a bare word, because a code looks like an id.
 */
const RULES: readonly (readonly [RegExp, string | ((...match: string[]) => string)])[] = [
  // user:password@ in an address, e.g. of a database
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, `$1${REDACTED}@`],
  [/\b(Bearer|Basic)\s+[\w~+/.=-]{8,}/gi, `$1 ${REDACTED}`],
  // a JSON web token: three parts, the first of which is a JSON object
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, REDACTED],
  // keys of partners and secrets of webhooks, wherever they stand
  [/\b(?:rk_live_[0-9A-Za-z]|whsec_[\w+/=])[\w+/=]{15,}/g, REDACTED],
  // refresh tokens and invitations
  [/\brk[ir]_[A-Z0-9_]{2,24}\.[0-9]{1,19}\.[\w.-]{20,}/g, REDACTED],
  // JWT_SECRET=…, "password": "…", token=…, also in query strings and escaped JSON
  [
    /\b([a-z_-]*(?:secret|pepper|password|passwd|token|api[_-]?key))(\\?["']?\s*[=:]\s*)(\\?["']?)[^\s"'\\,;&}]+/gi,
    `$1$2$3${REDACTED}`,
  ],
  // code: ABCD-EFGH-JKLM, "code":"…", code 'ABCDEFGH', code_text = '…'; the name of a fact stays
  [
    /\b((?:code|codes|code_text|codetext|plaintext)\\?["']?\s*(?:[=:]\s*)?\[?\\?["'`]?)([\p{L}\p{N}][\p{L}\p{N}_ -]{6,}[\p{L}\p{N}])(?=$|[^\p{L}\p{N}_])/giu,
    (whole, name, value) => scrubNamedCode(whole, name, value),
  ],
];

/** Literals of a statement that an error repeats; they are data, and may be codes. */
const SQL_LITERAL = /(for key )?'(?:[^'\\]|\\.|'')*'/gi;
const SQL =
  /\b(?:insert\s+into|update\s+\S+\s+set|select\s.+?\sfrom|delete\s+from|replace\s+into|load\s+data|duplicate\s+entry|syntax\s+to\s+use|(?:incorrect|truncated)\s.*value)\b/is;

/** Takes secrets and whole codes out of a text. */
export function scrub(text: string): string {
  const start = SQL.test(text) ? text.replace(SQL_LITERAL, withoutLiteral) : text;
  return RULES.reduce((rest, [pattern, by]) => rest.replace(pattern, by as string), start);
}

/** The name of the key that refused stays. */
function withoutLiteral(literal: string, beforeKey: string | undefined): string {
  return beforeKey === undefined ? "'?'" : literal;
}

function scrubNamedCode(whole: string, name: string, value: string): string {
  // Only the first word is the code: prose follows it. Without a sign of assignment it must look like a code.
  const [first = ''] = value.split(' ');
  const assigned = /[=:"'`[]/.test(name);
  const isCode = first.length >= 8 && !FACT.test(first) && (assigned || /^[\p{Lu}\p{N}-]+$/u.test(first));
  return isCode ? `${name}${REDACTED}${value.slice(first.length)}` : whole;
}

/** A copy of a value for the log: what bears a secret name is taken out, every text is scrubbed, errors are unfolded. */
export function scrubValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return scrub(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  return depth >= DEPTH_MAX ? '[deeper]' : scrubObject(value, depth);
}

function scrubObject(value: object, depth: number): unknown {
  if (value instanceof Error) return scrubError(value, depth);
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => scrubValue(item, depth + 1));
  if (value instanceof Map) return scrubEntries([...value], depth);
  if (value instanceof Set) return scrubValue([...value], depth);
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if (isPlain(value)) return scrubEntries(Object.entries(value), depth);
  // Requests and connections refer to large parts of the process; only their own JSON form is logged.
  const { toJSON } = value as { toJSON?: (this: object) => unknown };
  return toJSON === undefined ? `[${value.constructor.name}]` : scrubValue(toJSON.call(value), depth + 1);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function scrubEntries(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of entries.slice(0, ITEMS_MAX))
    copy[String(key)] = scrubNamed(String(key), value, depth);
  return copy;
}

function scrubNamed(name: string, value: unknown, depth: number): unknown {
  if (!SECRET_NAMES.has(name.replace(/[^a-z]/gi, '').toLowerCase())) return scrubValue(value, depth + 1);
  // Counts and flags under such a name (`codes: 1000`, `token: null`) tell nothing.
  if (value === null || value === undefined || typeof value === 'boolean') return value;
  if (typeof value === 'number' && value < 1e7) return value;
  if (typeof value === 'string' && FACT.test(value)) return value;
  return REDACTED;
}

/** An error's own fields are kept (errno, details), except the statement that a driver adds. */
function scrubError(error: Error, depth: number): Record<string, unknown> {
  const { sql: _sql, ...fields } = error as Error & { sql?: unknown };
  return {
    type: error.constructor.name,
    message: scrub(error.message),
    stack: scrub(error.stack ?? ''),
    ...scrubEntries(
      Object.entries(fields).filter(([key]) => key !== 'message' && key !== 'stack'),
      depth,
    ),
    ...(error.cause === undefined ? {} : { cause: scrubValue(error.cause, depth + 1) }),
  };
}
