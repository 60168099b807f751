import type { MikroORM } from '@mikro-orm/core';
import { ConfigError } from '../config.js';
import { StartError } from '../platform/errors.js';
import type { Logger } from '../platform/observability/log.js';
import { systemEm, type Em } from '../platform/database/orm.js';
import { processesWithout } from '../platform/database/process-node.js';
import { isDuplicateKey } from '../platform/database/sql-errors.js';
import { Transactions } from '../platform/database/transaction.js';
import { activeKeyId } from '../platform/sealed-secrets.js';
import { OWN_COMMAND } from '../platform/own-command.js';
import { canonicalize } from './canonical-code.js';
import { CodeDigester, fingerprintOf, type PepperKey } from './code-digester.js';
import type { PepperState } from './code-pepper.entity.js';

/** The secrets of the configuration, as far as peppers are concerned. */
export interface ConfiguredPeppers {
  readonly current: string;
  readonly previous: readonly string[];
  /** Secrets for other purposes; one of them that is a pepper of the database was set in the wrong place. */
  readonly others: readonly string[];
}

interface KnownPepper {
  readonly keyId: number;
  readonly fingerprint: string;
  readonly state: PepperState;
}

/** One round for each start that may take a number first, and a database holds at most 255 peppers. */
const REGISTER_ROUNDS_MAX = 300;

/** What became of the wish to make new codes with a pepper. */
export type Activation = 'ACTIVE' | { readonly waitsFor: number };

const MIXED_UP =
  'JWT_SECRET holds a pepper of this database: it and CODE_PEPPER were mixed up. Set each to the value it had before.';
const ANOTHER_PEPPER =
  "CODE_PEPPER is not the pepper that this database's codes were made with, so no code would be found. Set it back to the value it had. To rotate the pepper, set CODE_PEPPER_PREVIOUS to the old value and CODE_PEPPER to the new one.";
const missingPepper = ({ keyId, state }: KnownPepper) =>
  state === 'ACTIVE'
    ? `The pepper was rotated, and new codes are made with one that is not configured (key ${keyId}). Set CODE_PEPPER to it.`
    : `Codes still need a pepper that is not configured (key ${keyId}). Set CODE_PEPPER_PREVIOUS to it; \`${OWN_COMMAND} redigest\` moves codes to the current pepper.`;

/**
 * Knows by fingerprints which peppers the codes of the database were made with, so that no process works with another
 * one: it would take every code for unknown.
 */
export class PepperRegistry {
  constructor(
    private readonly orm: MikroORM,
    private readonly log: Logger,
  ) {}

  /**
   * The configured peppers with their numbers, the current one first. Asked once, at start, when the process has its
   * node: then the process that activates another pepper sees this one, or this one sees the activation.
   *
   * @throws ConfigError when codes need a pepper that is not configured
   */
  async settle(configured: ConfiguredPeppers): Promise<PepperKey[]> {
    const peppers = [configured.current, ...configured.previous];
    for (const pepper of peppers.toReversed()) await this.register(pepper, configured);
    const activation = await this.activate(configured.current);
    if (activation !== 'ACTIVE')
      this.log.info(activation, 'new codes get the previous pepper until all processes know the current one');
    const known = await this.known();
    const missing = known.find(
      ({ state, fingerprint }) =>
        isNeeded(state) && !peppers.some((pepper) => fingerprintOf(pepper) === fingerprint),
    );
    if (missing !== undefined) throw new ConfigError(missingPepper(missing));
    return peppers.flatMap((pepper) => {
      const row = known.find(({ fingerprint }) => fingerprint === fingerprintOf(pepper));
      if (row?.state === 'RETIRED')
        this.log.info({ keyId: row.keyId }, 'CODE_PEPPER_PREVIOUS can go: no code needs this pepper');
      return row === undefined || row.state === 'RETIRED' ? [] : [{ keyId: row.keyId, pepper }];
    });
  }

  /** Makes new codes with this pepper from now on, if every process at work can read it. */
  async activate(pepper: string): Promise<Activation> {
    const fingerprint = fingerprintOf(pepper);
    const pendingOf = (known: readonly KnownPepper[]): KnownPepper | undefined =>
      known.find((each) => each.state === 'PENDING' && each.fingerprint === fingerprint);
    // As in most starts. The exclusive lock would wait for all codes that are being made.
    if (pendingOf(await this.known()) === undefined) return 'ACTIVE';
    return new Transactions(this.orm).run(null, async (em) => {
      const wanted = pendingOf(await this.known(em, 'for update'));
      if (wanted === undefined) return 'ACTIVE';
      const waitsFor = await processesWithout(em, fingerprint);
      if (waitsFor > 0) return { waitsFor };
      await em.execute(`update code_pepper set state = 'RETIRING' where state = 'ACTIVE'`);
      await em.execute(`update code_pepper set state = 'ACTIVE' where key_id = ?`, [wanted.keyId]);
      return 'ACTIVE';
    });
  }

  /** Retires the peppers that no code and no sealed secret is left of. @returns how many are still needed beside the active one */
  async retire(): Promise<number> {
    const em = systemEm(this.orm);
    const retiring = (await this.known()).filter(({ state }) => state === 'RETIRING');
    let needed = 0;
    for (const { keyId } of retiring) {
      const [row]: unknown[] = await em.execute(
        `(select 1 from code where digest_key_id = ? and deleted_at is null limit 1)
         union all (select 1 from tenant_settings where key_id = ? limit 1)
         union all (select 1 from webhook
           where conv(hex(left(secret, 4)), 16, 10) = ? or conv(hex(left(previous_secret, 4)), 16, 10) = ? limit 1)`,
        [keyId, keyId, keyId, keyId],
      );
      if (row !== undefined) needed += 1;
      else
        await em.execute(`update code_pepper set state = 'RETIRED' where key_id = ? and state = 'RETIRING'`, [
          keyId,
        ]);
    }
    return needed;
  }

  /**
   * Numbers a pepper that the database does not know yet. After an insert the rows are read again: another start may
   * have taken the number, or the first pepper was another of the configured ones.
   */
  private async register(pepper: string, configured: ConfiguredPeppers): Promise<void> {
    for (let round = 0; round < REGISTER_ROUNDS_MAX; round += 1)
      if (await this.isKnown(pepper, configured)) return;
    throw new StartError('Other processes keep registering peppers in this database: start again.');
  }

  /** @returns false after a try to make it known */
  private async isKnown(pepper: string, configured: ConfiguredPeppers): Promise<boolean> {
    const known = await this.known();
    const prints = new Set(known.map(({ fingerprint }) => fingerprint));
    if (configured.others.some((secret) => prints.has(fingerprintOf(secret))))
      throw new ConfigError(MIXED_UP);
    if (prints.has(fingerprintOf(pepper))) return true;
    const isFirst = known.length === 0;
    const isOurs = [configured.current, ...configured.previous].some((each) =>
      prints.has(fingerprintOf(each)),
    );
    if (!isFirst && !isOurs) throw new ConfigError(ANOTHER_PEPPER);
    const next = isFirst ? await this.firstPepper(configured) : pepper;
    const keyId = Math.max(0, ...known.map((each) => each.keyId)) + 1;
    try {
      await systemEm(this.orm).execute(
        'insert into code_pepper (key_id, fingerprint, state, created_at) values (?, ?, ?, utc_timestamp(3))',
        [keyId, fingerprintOf(next), isFirst ? 'ACTIVE' : 'PENDING'],
      );
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    return false;
  }

  /** Which of the configured peppers made the codes of a database that has no fingerprints yet. */
  private async firstPepper({ current, previous }: ConfiguredPeppers): Promise<string> {
    const oldest = previous.at(-1) ?? current;
    const em = systemEm(this.orm);
    const [visible]: { tenantId: string; text: string; digest: string }[] = await em.execute(
      `select tenant_id as tenantId, code_text as text, code_digest as digest from code
        where code_text is not null limit 1`,
    );
    const canonical = visible === undefined ? null : canonicalize(visible.text);
    if (visible === undefined || canonical === null) {
      const [any]: unknown[] = await em.execute('select 1 from code limit 1');
      if (any !== undefined)
        this.log.warn('the pepper of existing codes was taken on trust: only their digests are kept');
      return oldest;
    }
    const { tenantId, digest } = visible;
    const found = [current, ...previous].find(
      (pepper) => new CodeDigester([{ keyId: 1, pepper }]).digest(tenantId, canonical) === digest,
    );
    if (found === undefined) throw new ConfigError(ANOTHER_PEPPER);
    return found;
  }

  /** Waits for an activation under way, so that what is read stays true for the processes that it counted. */
  private async known(
    em: Em = systemEm(this.orm),
    lock: 'for update' | 'lock in share mode' = 'lock in share mode',
  ): Promise<KnownPepper[]> {
    return em.execute(`select key_id as keyId, fingerprint, state from code_pepper order by key_id ${lock}`);
  }
}

/** Whether there may be codes that only this pepper finds. */
function isNeeded(state: PepperState): boolean {
  return state === 'ACTIVE' || state === 'RETIRING';
}

/** The number of the pepper that new codes are made with; it stays so until the transaction ends. */
export const activePepper = activeKeyId;
