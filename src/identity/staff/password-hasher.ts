import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { DomainError } from '../../platform/errors.js';

/** By OWASP's advice for argon2id: 19 MiB, two passes, one lane. ADR 51 says why. */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const TAG_BYTES = 32;
const SALT_BYTES = 16;
/** Each takes 19 MiB and a thread of the pool that files and look-ups of names need as well. */
const AT_ONCE = 2;
/** More would wait for seconds; they are refused as BUSY. */
const WAITING_MAX = 64;
const RETRY_MS = 2000;

const FORM =
  /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})\$([\w+/]{11,86})\$([\w+/]{43})$/;

const derive = promisify(argon2);

interface Parameters {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** What is compared. */
interface Stored extends Parameters {
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Password hashes by argon2id of node:crypto, in the PHC string format. */
export class PasswordHasher {
  private readonly limit = pLimit(AT_ONCE);

  constructor(private readonly waitingMax = WAITING_MAX) {}

  /** @throws DomainError BUSY when too many wait */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const tag = await this.derived(password, salt, PARAMETERS);
    const { memory, passes, parallelism } = PARAMETERS;
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain64(salt)}$${plain64(tag)}`;
  }

  /**
   * Whether the password is the one of the hash. Without a hash the same work is done, so that the time does not reveal
   * whether there is an account.
   */
  async verify(hash: string | null, password: string): Promise<boolean> {
    const stored = hash === null ? null : parsed(hash);
    const tag = await this.derived(password, stored?.salt ?? randomBytes(SALT_BYTES), stored ?? PARAMETERS);
    return stored !== null && timingSafeEqual(tag, stored.tag);
  }

  private async derived(password: string, salt: Buffer, { memory, passes, parallelism }: Parameters) {
    if (this.limit.pendingCount >= this.waitingMax)
      throw new DomainError('BUSY', 'Too many sign-ins are under way. Try again in a moment.', {
        retryAfterMs: RETRY_MS,
      });
    return this.limit(async () =>
      derive('argon2id', {
        message: password.normalize('NFC'),
        nonce: salt,
        memory,
        passes,
        parallelism,
        tagLength: TAG_BYTES,
      }),
    );
  }
}

function parsed(hash: string): Stored {
  const [, memory, passes, parallelism, salt = '', tag = ''] = FORM.exec(hash) ?? [];
  if (memory === undefined) throw new Error('A stored password hash is none of argon2id.');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** As the format asks: without padding. */
function plain64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
