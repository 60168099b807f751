import type { Socket } from 'node:net';
import type { Piece, Refusal, Verdict, WireEvent } from './wire-events.js';

type Judge = (event: WireEvent | null) => Verdict | Promise<Verdict>;

/** One direction of a connection. Keeps the order: what comes behind a message that is held waits with it. */
export class ProxyLane {
  private readonly waiting: (Piece | 'END' | 'DESTROY')[] = [];
  private isHeld = false;
  private readonly target: Socket;
  private readonly judge: Judge;
  private readonly refuse: (event: WireEvent, refusal: Refusal) => Promise<void>;
  private readonly reset: () => void;

  constructor(
    target: Socket,
    judge: Judge,
    refuse: (event: WireEvent, refusal: Refusal) => Promise<void>,
    reset: () => void,
  ) {
    this.target = target;
    this.judge = judge;
    this.refuse = refuse;
    this.reset = reset;
  }

  push(pieces: readonly Piece[]): void {
    this.waiting.push(...pieces);
    this.run();
  }

  end({ andDestroy = false } = {}): void {
    this.waiting.push(andDestroy ? 'DESTROY' : 'END');
    this.run();
  }

  private run(): void {
    if (this.isHeld) return;
    this.target.cork();
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (typeof next === 'string') {
        this.finish(next);
        continue;
      }
      const verdict = this.judge(next.event);
      if (verdict !== 'PASS') {
        this.isHeld = true;
        void this.hold(next, verdict);
        break;
      }
      this.target.write(next.bytes);
    }
    this.target.uncork();
  }

  private async hold(piece: Piece, judged: Verdict | Promise<Verdict>): Promise<void> {
    const verdict = await judged;
    if (verdict === 'RESET') {
      this.reset();
      return;
    }
    if (verdict === 'PASS') this.target.write(piece.bytes);
    else if (piece.event !== null) await this.refuse(piece.event, verdict);
    this.isHeld = false;
    this.run();
  }

  private finish(how: 'END' | 'DESTROY'): void {
    if (how === 'END') this.target.end();
    else this.target.destroySoon();
  }
}
