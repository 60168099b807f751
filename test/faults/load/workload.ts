import { setTimeout as pause } from 'node:timers/promises';
import { keyDigest } from '../../../src/platform/key-digest.js';
import { eachOf } from '../../../src/platform/scheduling/each-of.js';
import { ClientLog, type TryOutcome } from './client-log.js';
import { redeem } from './redeem-client.js';
import type { Wish } from './wishes.js';

/** As long as an answer may take before a patient client gives up. */
const PATIENCE_MS = 3000;
/** By their place among the addresses. */
const PROCESSES: readonly string[] = ['api1', 'api2'];
const SETTLE_AT_ONCE = 24;
/** Requests that belong to no wish. */
const NO_WISH = -1;
/** Tries of a held code; a code held after them is asked for again when the workload is over. */
const TRIES_MAX = 6;

/** One request, put down in the log; what tells it apart from others of the workload is optional. */
export type Ask = (
  what: Pick<Wish, 'user' | 'code' | 'key' | 'productCode'>,
  at?: number,
) => Promise<TryOutcome>;

/** Clients that ask for what they wish at several API processes, and put down every request. */
export interface Workload {
  readonly log: ClientLog;
  readonly wishes: readonly Wish[];
  /** Everybody asks; resolves when all have an answer, or have given up for now. */
  run(): Promise<void>;
  /** Asks on for everything that has no final answer; tells for which wishes none came in time. */
  settle(withinMs: number): Promise<readonly Wish[]>;
  /** Asks again with every key; after everything is settled, the answers must be the same. */
  repeatKeys(): Promise<void>;
  /**
   * Clients that wait for a process, or for what the text names, give up, and no further request asks for the same
   * code for the same user: the product has to settle what they began without them.
   */
  forsake(process: string, text: string): void;
  /** A single request beside the workload, in the same log. */
  readonly ask: Ask;
}

/** True when asking again cannot help. */
function isFinal(outcome: TryOutcome): boolean {
  return outcome.kind === 'COMMITTED' || (outcome.kind === 'REFUSED' && outcome.refusal !== 'CODE_HELD');
}

export function makeWorkload(urls: readonly string[], wishes: readonly Wish[]): Workload {
  const log = new ClientLog();
  const asker = new Asker(urls, log);
  return {
    log,
    wishes,
    run: async () => {
      await Promise.all(wishes.map(async (wish) => asker.live(wish)));
    },
    settle: async (withinMs) => {
      const untilMs = performance.now() + withinMs;
      await eachOf(asker.open(wishes), SETTLE_AT_ONCE, async (wish) => asker.settle(wish, untilMs));
      return asker.open(wishes);
    },
    repeatKeys: async () => {
      const keyed = wishes.filter(({ key }) => key !== null);
      await eachOf(keyed, SETTLE_AT_ONCE, async (wish) => {
        await asker.ask(wish, wish.random.between(0, urls.length - 1));
      });
    },
    forsake: (process, text) => asker.forsake(PROCESSES.indexOf(process), text),
    ask: async (what, at = 0) => asker.ask({ no: NO_WISH, ...what }, at),
  };
}

type Asked = Pick<Wish, 'no' | 'user' | 'code' | 'key' | 'productCode'>;

const pairOf = ({ user, code }: Asked): string => `${user.userId}|${code.codeId}`;

function isNamed({ user, code }: Asked, text: string): boolean {
  const isOfCode = [code.codeId, code.digest, code.text].some((name) => text.includes(name));
  return isOfCode && text.includes(user.userId);
}

class Asker {
  private readonly urls: readonly string[];
  private readonly log: ClientLog;
  /** Wishes that have their final answer. */
  private readonly answered = new Set<number>();
  /** Requests that wait for an answer. */
  private readonly waiting = new Map<number, { readonly wish: Asked; readonly process: number }>();
  /** Users and codes without further requests. */
  private readonly forsaken = new Set<string>();

  constructor(urls: readonly string[], log: ClientLog) {
    this.urls = urls;
    this.log = log;
  }

  open(wishes: readonly Wish[]): Wish[] {
    return wishes.filter((wish) => !this.answered.has(wish.no) && !this.isForsaken(wish));
  }

  forsake(process: number, text: string): void {
    const own = [...this.waiting.values()].filter((each) => each.process === process);
    const named = own.filter(({ wish }) => isNamed(wish, text));
    for (const { wish } of named.length > 0 ? named : own) this.forsaken.add(pairOf(wish));
  }

  private isForsaken(wish: Asked): boolean {
    return this.forsaken.has(pairOf(wish));
  }

  /** A user's whole conduct during the workload. */
  async live(wish: Wish): Promise<void> {
    const { manner, random } = wish;
    await pause(wish.atMs);
    const first = random.between(0, this.urls.length - 1);
    if (manner === 'DOUBLE_CLICK') {
      await Promise.all([this.pursue(wish, first), this.pursue(wish, first + 1)]);
    } else {
      await this.pursue(wish, first);
    }
    if (manner === 'REPEATING') {
      await pause(random.between(0, 200));
      if (this.isForsaken(wish)) return;
      await this.ask(wish, first + 1);
    }
  }

  /** Asks, each time the other process, until there is a final answer or enough is enough. */
  private async pursue(wish: Wish, first: number): Promise<void> {
    const { manner, random } = wish;
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      if (this.isForsaken(wish)) return;
      const isHasty = manner === 'IMPATIENT' && attempt < 2;
      const timeoutMs = isHasty ? random.between(5, 60) : PATIENCE_MS;
      if (isFinal(await this.ask(wish, first + attempt, timeoutMs))) return;
      await pause(random.between(30, 150));
    }
  }

  async settle(wish: Wish, untilMs: number): Promise<void> {
    for (let attempt = wish.no; performance.now() < untilMs; attempt += 1) {
      if (isFinal(await this.ask(wish, attempt))) return;
      await pause(100);
    }
  }

  async ask(wish: Asked, at: number, timeoutMs = PATIENCE_MS): Promise<TryOutcome> {
    const { user, code, key, productCode } = wish;
    const process = at % this.urls.length;
    const no = this.log.begin({
      wishNo: wish.no,
      userId: user.userId,
      codeId: code.codeId,
      key: key === null ? null : keyDigest(user.tenantId, user.userId, key),
      productCode,
      process,
    });
    const url = this.urls[process] ?? '';
    this.waiting.set(no, { wish, process });
    const outcome = await redeem({ url, token: user.token, code: code.text, key, productCode, timeoutMs });
    this.waiting.delete(no);
    this.log.end(no, outcome);
    if (isFinal(outcome)) this.answered.add(wish.no);
    return outcome;
  }
}
