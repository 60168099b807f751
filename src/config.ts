import { IANAZone } from 'luxon';
import { z } from 'zod';
import { StartError } from './platform/errors.js';
import { networks } from './platform/outgoing/address-guard.js';
import { isRedisUrl } from './platform/redis/redis-address.js';
import { trustedProxies } from './platform/trusted-proxies.js';

/** How long a deferred claim stays open; until then only its job settles it. */
export const DEFERRED_DEADLINE_MS = 2 * 60 * 60_000;

const oneOf = <const Values extends readonly string[]>(...values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`);
const booleanText = oneOf('true', 'false', '1', '0').transform((text) => text === 'true' || text === '1');
/** Digits only: what else JavaScript takes for a number (`1e3`, `0x10`, a blank) is more likely a slip. */
const count = (least: number, most: number, preset: number) => {
  const problem = `must be a whole number from ${least} to ${most}`;
  const number = z
    .string()
    .regex(/^[0-9]{1,15}$/, problem)
    .transform(Number);
  return number.refine((value) => value >= least && value <= most, problem).default(preset);
};
const addressOf = (schemes: RegExp, problem: string) =>
  z
    .string()
    .regex(schemes, problem)
    .refine((url) => URL.canParse(url), 'is not a URL')
    .optional();
const redisAddress = z
  .string()
  .regex(/^rediss?(?:\+cluster)?:\/\//, 'must begin with redis://, rediss:// or redis+cluster://')
  .refine(
    isRedisUrl,
    'is not a URL; the nodes of a cluster are separated by commas: redis+cluster://host:port,host:port',
  )
  .optional();
const isOrigin = (text: string): boolean =>
  !text.includes('*') && URL.canParse(text) && new URL(text).origin === text;
/** `*`, or origins as browsers send them: scheme, host and port, without a path. */
const origins = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
  .refine(
    (list) => list.every((part) => part === '*' || isOrigin(part)),
    'must be * or a list of origins like https://shop.example, without a path',
  )
  .optional();
const proxies = z.string().transform((text, context) => {
  try {
    return trustedProxies(text);
  } catch {
    context.addIssue(
      'must be false, the number of proxies before this process (1 to 16), or their addresses and networks',
    );
    return z.NEVER;
  }
});
/** Addresses and networks, as 10.1.0.0/16, separated by commas. */
const networkList = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .refine((names) => {
    try {
      return networks(names) !== null;
    } catch {
      return false;
    }
  }, 'must be addresses or networks such as 10.1.0.0/16, separated by commas');
const timeZone = z
  .string()
  .refine((name) => IANAZone.isValidZone(name), 'must be a time zone such as UTC or Europe/Berlin');
/** A comma-separated list; a single minus is an empty one. */
const namesOf = <const Names extends readonly string[]>(...names: Names) =>
  z
    .string()
    .transform((text) => (text === '-' ? [] : text.split(',').map((name) => name.trim())))
    .pipe(z.array(oneOf(...names)));
/** Fractions are for trying out what happens at the end. */
const minutes = (most: number, preset: number) => {
  const problem = `must be a number of minutes from 0.01 to ${most}`;
  const number = z
    .string()
    .regex(/^[0-9]{1,6}(?:\.[0-9]{1,3})?$/, problem)
    .transform(Number);
  return number.refine((value) => value >= 0.01 && value <= most, problem).default(preset);
};
const positiveDecimal = z
  .string()
  .regex(/^(?!0*(?:\.0*)?$)[0-9]{1,10}(?:\.[0-9]{1,10})?$/, 'must be a decimal such as 0.01, more than 0');
const share = z
  .string()
  .regex(/^(?:0(?:\.[0-9]{1,10})?|1(?:\.0{1,10})?)$/, 'must be a number from 0 to 1, such as 0.1')
  .transform(Number)
  .default(1);
const hosts = z
  .string()
  .transform((list) => list.split(/[\s,]+/).filter((host) => host !== ''))
  .refine(
    (list) =>
      list.every((host) => URL.canParse(`https://${host}`) && new URL(`https://${host}`).host === host),
    'must be a list of hosts like login.example.com, with a port where it is not 443',
  );
const secretText = z.string().min(32, 'must have at least 32 characters');
const secret = secretText.optional();
const secretList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(secretText))
  .optional();

/** `.env.example` says what each is for. */
const environmentSchema = z.object({
  NODE_ENV: oneOf('production', 'development', 'test').default('development'),
  ROLE: oneOf('all', 'api', 'worker').default('all'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: count(0, 65_535, 4000),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_URL: addressOf(/^(mysql|mariadb):\/\//, 'must begin with mysql:// or mariadb://'),
  REDIS_URL: redisAddress,
  JWT_SECRET: secret,
  JWT_SECRET_PREVIOUS: secret,
  CODE_PEPPER: secret,
  CODE_PEPPER_PREVIOUS: secretList,
  PAYMENT_SECRET: secret,
  PAYMENT_SECRET_PREVIOUS: secret,
  OUTGOING_ALLOWED_NETWORKS: networkList.optional(),
  DIRECTORY_URL: addressOf(/^https?:\/\//, 'must begin with https:// or http://'),
  DIRECTORY_TOKEN: z.string().min(1).optional(),
  DIRECTORY_TIMEOUT_MS: count(50, 60_000, 1000),
  DIRECTORY_BUDGET_MS: count(50, 120_000, 2500),
  DIRECTORY_BREAK_MS: count(10, 600_000, 10_000),
  DIRECTORY_GRACE_S: count(0, 2_592_000, 900),
  DIRECTORY_STALE_S: count(1, 2_592_000, 180),
  DIRECTORY_SYNC_S: count(1, 86_400, 60),
  DIRECTORY_EVENTS_URL: addressOf(/^rediss?:\/\//, 'must begin with redis:// or rediss://'),
  DIRECTORY_STREAM: z.string().min(1).max(200).default('{directory}:tenant_updated'),
  DIRECTORY_REDELIVER_MS: count(10, 3_600_000, 30_000),
  DIRECTORY_EVENT_ATTEMPTS: count(1, 1000, 5),
  WEBHOOK_TIMEOUT_MS: count(100, 60_000, 10_000),
  WEBHOOK_DELIVERY_DAYS: count(2, 365, 30),
  AUDIT_ANCHOR_FILE: z.string().min(1).optional(),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: addressOf(/^https?:\/\//, 'must begin with http:// or https://'),
  OTEL_TRACES_SAMPLER_ARG: share,
  TRUST_PROXY: proxies.default(() => trustedProxies('false')),
  DATABASE_POOL_SIZE: count(4, 500, 16),
  READ_POOL_SIZE: count(3, 200, 10),
  READ_TIMEOUT_MS: count(100, 600_000, 5000),
  COMMIT_BATCH_MAX: count(1, 256, 256),
  COMMIT_LANES: count(1, 64, 2),
  COMMIT_TENANTS_MAX: count(1, 256, 32),
  CLAIM_DEADLINE_MS: count(1000, 600_000, 15_000),
  SWEEP_EVERY_MS: count(100, 60_000, 10_000),
  OUTBOX_RETENTION_DAYS: count(1, 3650, 7),
  TOMBSTONE_RETENTION_DAYS: count(2, 3650, 30),
  STORE_TIMEOUT_MS: count(100, 60_000, 1000),
  START_WAIT_MS: count(0, 600_000, 5000),
  REPLY_WITHIN_MS: count(100, 600_000, 2000),
  HELD_WAIT_MS: count(0, 60_000, 500),
  PENDING_ATTEMPTS: count(1, 1000, 100),
  PENDING_BACKOFF_MS: count(10, 600_000, 1000),
  PENDING_BACKOFF_MAX_MS: count(10, 600_000, 60_000),
  DRAIN_GRACE_MS: count(0, 60_000, 300),
  IDEMPOTENCY_MARKER_TTL_S: count(60, 31_536_000, 86_400),
  CODE_COPY_TTL_S: count(1, 86_400, 60),
  HASHED_CODES_FETCH_S: count(0, 3600, 600),
  GUESSES_PER_HIT_MIN: count(100, 1_000_000_000_000, 1_000_000),
  RATE_LIMIT_DEFAULT_HOUR: count(0, 1_000_000, 10_000),
  RATE_LIMIT_DEFAULT_DAY: count(0, 10_000_000, 100_000),
  RATE_LIMIT_CALLER_SHARE_PERCENT: count(1, 100, 20),
  RATE_LIMIT_ADDRESS_SHARE_PERCENT: count(1, 100, 50),
  SIGN_IN_ACCOUNT_FAILURES: count(0, 1_000_000, 10),
  SIGN_IN_ADDRESS_FAILURES: count(0, 1_000_000, 100),
  OIDC_ISSUER: addressOf(/^https?:\/\//, 'must begin with https://'),
  OIDC_CLIENT_ID: z.string().min(1).optional(),
  OIDC_CLIENT_SECRET: z.string().min(1).optional(),
  OIDC_REDIRECT_URI: addressOf(/^https?:\/\//, 'must begin with https:// (http:// for this machine)'),
  STAFF_SESSION_IDLE_HOURS: count(1, 720, 12),
  STAFF_SESSION_MAX_DAYS: count(1, 365, 7),
  DEVICE_SESSION_IDLE_DAYS: count(1, 3650, 90),
  LOCKOUT_USER_FAILURES: count(0, 1_000_000, 20),
  LOCKOUT_DEVICE_FAILURES: count(0, 1_000_000, 40),
  LOCKOUT_ADDRESS_FAILURES: count(0, 1_000_000, 200),
  LOCKOUT_TENANT_FAILURES: count(0, 1_000_000, 5000),
  ATTEMPT_LOG_PER_MINUTE: count(0, 6000, 120),
  ATTEMPT_LOG_DAYS: count(1, 365, 30),
  CAPTCHA_VERIFIER: oneOf('http', 'local').default('http'),
  MONEY_TIME_ZONE: timeZone.default('UTC'),
  ORDER_TIMEOUT_MINUTES: minutes(525_600, 30),
  ORDERS_PENDING_MAX: count(1, 1000, 5),
  ORDER_SOURCES_WITH_OWN_CLEANUP: namesOf('MALL', 'DRAW', 'ICHIBAN', 'GAME_PASS').default(['ICHIBAN']),
  POINT_VALUE: positiveDecimal.default('0.01'),
  UNIFORM_REFUSALS: booleanText.default(false),
  ORDER_COUPON_SHARE_MAX_PERCENT: count(0, 100, 50),
  JWKS_HOSTS: hosts.optional(),
  GRAPHQL_MAX_DEPTH: count(3, 100, 12),
  GRAPHQL_MAX_ALIASES: count(1, 1000, 15),
  GRAPHQL_MAX_TOKENS: count(100, 100_000, 2000),
  GRAPHQL_MAX_COST: count(100, 10_000_000, 50_000),
  HTTP_BODY_LIMIT_BYTES: count(1024, 104_857_600, 262_144),
  IMPORT_FILE_MAX_BYTES: count(1024, 10_737_418_240, 268_435_456),
  HTTP_REQUEST_TIMEOUT_MS: count(1000, 600_000, 30_000),
  HTTP_ANSWER_TIMEOUT_MS: count(1000, 600_000, 30_000),
  HTTP_CONNECTIONS_MAX: count(10, 1_000_000, 10_000),
  SEND_BUFFER_TOTAL_BYTES: count(1_048_576, 10_737_418_240, 67_108_864),
  CORS_ORIGINS: origins,
  WS_MAX_OPERATIONS: count(1, 10_000, 50),
  WS_SOCKETS_PER_USER: count(1, 10_000, 20),
  WS_SOCKETS_TOTAL: count(1, 1_000_000, 2000),
  WS_SOCKETS_PER_ADDRESS: count(1, 1_000_000, 100),
  WS_SIGNED_IN_SOCKETS_PER_ADDRESS: count(1, 1_000_000, 1000),
  WS_MESSAGE_LIMIT_BYTES: count(1024, 104_857_600, 65_536),
  WS_MESSAGES_PER_S: count(1, 100_000, 200),
  WS_SEND_BUFFER_BYTES: count(65_536, 1_073_741_824, 4_194_304),
  WS_SLOW_READER_MS: count(100, 600_000, 10_000),
  WS_INIT_TIMEOUT_MS: count(100, 60_000, 3000),
  WS_HEARTBEAT_MS: count(50, 600_000, 12_000),
  INTROSPECTION: booleanText.optional(),
});

type Environment = z.infer<typeof environmentSchema>;

/** The names of all variables. */
export const VARIABLES: readonly string[] = Object.keys(environmentSchema.shape);

/** Everything that can be set, checked once at start. Times end in their unit. */
export type Config = Readonly<Environment>;

/** Wrong settings, all that are found; the message names the variables, and never shows the value of a secret. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
}

/**
 * Reads the environment. An empty variable counts as not set, because that is what compose files
 * and shells make of a missing one.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  const wrong = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`);
  const contradictions = parsed.success
    ? [...secretProblems(parsed.data), ...timeProblems(parsed.data), ...captchaProblems(parsed.data)]
    : [];
  const problems = [...wrong, ...missing(given), ...contradictions];
  if (!parsed.success || problems.length > 0)
    throw new ConfigError(`Wrong settings in the environment: ${problems.join('; ')}.`);
  return Object.freeze(parsed.data);
}

const OIDC = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_REDIRECT_URI'] as const;
const STORES = ['DATABASE_URL', 'REDIS_URL'] as const;
const SECRETS = ['JWT_SECRET', 'CODE_PEPPER'] as const;

function missing(given: NodeJS.ProcessEnv): string[] {
  const isProduction = given['NODE_ENV'] === 'production';
  const absent = (names: readonly string[]): string[] => names.filter((name) => given[name] === undefined);
  const isHalfOidc = absent(OIDC).length > 0 && absent(OIDC).length < OIDC.length;
  const oidc = isHalfOidc ? [`${OIDC.join(', ')} must all be set, or none`] : [];
  if (isProduction) return [...oidc, ...productionProblems(absent)];
  const isHalf = absent(STORES).length === 1;
  return isHalf
    ? [...oidc, 'DATABASE_URL and REDIS_URL must both be set, or neither, for private servers']
    : oidc;
}

function productionProblems(absent: (names: readonly string[]) => string[]): string[] {
  return absent([...STORES, ...SECRETS]).map((name) => `${name} must be set in production`);
}

/** A secret that serves two purposes gives both away with one leak, and one in another's place was mixed up. */
function secretProblems(config: Config): string[] {
  const { JWT_SECRET, JWT_SECRET_PREVIOUS, CODE_PEPPER, CODE_PEPPER_PREVIOUS = [] } = config;
  const { PAYMENT_SECRET, PAYMENT_SECRET_PREVIOUS } = config;
  const named = { JWT_SECRET, JWT_SECRET_PREVIOUS, CODE_PEPPER, PAYMENT_SECRET, PAYMENT_SECRET_PREVIOUS };
  const given = [
    ...Object.entries(named).filter(([, value]) => value !== undefined),
    ...CODE_PEPPER_PREVIOUS.map((value) => ['CODE_PEPPER_PREVIOUS', value] as const),
  ];
  return given.flatMap(([name, value], index) => {
    const other = given.slice(0, index).find(([, earlier]) => earlier === value)?.[0];
    return other === undefined ? [] : [`${other} and ${name} must not have the same value`];
  });
}

/** The end that a claim comes to by itself has to be later than what is yet to be done about it. */
function timeProblems(config: Config): string[] {
  // Tests let claims run out while their callers wait.
  if (config.NODE_ENV === 'test') return [];
  const problems = [];
  if (config.REPLY_WITHIN_MS >= config.CLAIM_DEADLINE_MS)
    problems.push(
      'REPLY_WITHIN_MS must be less than CLAIM_DEADLINE_MS: claims would be aborted before they are deferred',
    );
  if (pausesMs(config) > DEFERRED_DEADLINE_MS)
    problems.push(
      'PENDING_ATTEMPTS with pauses up to PENDING_BACKOFF_MAX_MS must end within two hours: then claims are aborted',
    );
  return problems;
}

function captchaProblems({ NODE_ENV, CAPTCHA_VERIFIER }: Config): string[] {
  const isOpen = NODE_ENV === 'production' && CAPTCHA_VERIFIER === 'local';
  return isOpen
    ? ['CAPTCHA_VERIFIER must not be local in production: it takes a token that anyone knows']
    : [];
}

/** The pauses between all attempts, as long as they can be: each doubles the one before. */
function pausesMs({ PENDING_ATTEMPTS, PENDING_BACKOFF_MS, PENDING_BACKOFF_MAX_MS }: Config): number {
  let sumMs = 0;
  for (let failures = 1; failures < PENDING_ATTEMPTS; failures += 1)
    sumMs += Math.min(PENDING_BACKOFF_MS * 2 ** (failures - 1), PENDING_BACKOFF_MAX_MS);
  return sumMs;
}
