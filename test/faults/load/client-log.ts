import { appendFileSync } from 'node:fs';

/** What a client can know of how its request ended. */
export type TryOutcome =
  | {
      readonly kind: 'COMMITTED';
      readonly redemptionId: string;
      readonly codeId: string;
      readonly userId: string;
      readonly useNo: number;
    }
  | {
      readonly kind: 'REFUSED';
      readonly refusal: string;
      /** The redemption that the refusal names, as ALREADY_REDEEMED does. */
      readonly firstId: string | null;
    }
  /** Promised: to be settled under this number. */
  | { readonly kind: 'PROCESSING'; readonly orderNo: string }
  /** No answer, or one that leaves it open whether the code was redeemed: SERVICE_UNAVAILABLE, or an error. */
  | { readonly kind: 'UNKNOWN'; readonly reason: string };

/** One request of a client. Instants are of one clock, that of the process in which all clients run. */
export interface Try {
  readonly no: number;
  /** What the client wants; retries share it. */
  readonly wishNo: number;
  readonly userId: string;
  readonly codeId: string;
  readonly key: string | null;
  readonly productCode: string;
  /** Which of the API processes was asked. */
  readonly process: number;
  readonly startMs: number;
  /** Null as long as nothing has come back; a request that was given up may still be at work. */
  readonly endMs: number | null;
  readonly outcome: TryOutcome;
}

export type Begun = Omit<Try, 'no' | 'startMs' | 'endMs' | 'outcome'>;

/** Every request of all clients, and what came back. No whole code is in it. */
export class ClientLog {
  private readonly entries: Try[] = [];

  get tries(): readonly Try[] {
    return this.entries;
  }

  begin(begun: Begun): number {
    const no = this.entries.length;
    const outcome: TryOutcome = { kind: 'UNKNOWN', reason: 'UNDER_WAY' };
    this.entries.push({ ...begun, no, startMs: performance.now(), endMs: null, outcome });
    return no;
  }

  /** An unknown outcome has no end: what was asked for may still happen. */
  end(no: number, outcome: TryOutcome): void {
    const entry = this.entries[no];
    if (entry === undefined) throw new Error(`No try has the number ${no}.`);
    const endMs = outcome.kind === 'UNKNOWN' ? null : performance.now();
    this.entries[no] = { ...entry, endMs, outcome };
  }

  write(file: string): void {
    appendFileSync(file, this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }
}
