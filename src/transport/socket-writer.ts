import { setImmediate } from 'node:timers/promises';
import type { WebSocket } from 'ws';

/** Messages after which a socket lets the rest of the process have its turn: a backlog of events is sent without a pause. */
const MESSAGES_IN_TURN_MAX = 32;

export interface WriterLimits {
  /** Messages that may wait for the client to read. */
  readonly messages: number;
  readonly bytes: number;
  /** How long the client may take none of what waits. */
  readonly stallMs: number;
}

/**
 * Sends to one socket and bounds what waits for its client. While anything waits nothing more is read from the client:
 * a client that only writes is blocked by its own system and costs no memory here.
 */
export class SocketWriter {
  private waiting = 0;
  private stall: NodeJS.Timeout | undefined;
  private readonly closed: Promise<void>;
  private sentInTurn = 0;
  /** Resolves when the event loop has gone round; null before the first message of a turn. */
  private turning: Promise<void> | null = null;

  constructor(
    private readonly socket: WebSocket,
    private readonly limits: WriterLimits,
    /** The client reads too slowly or not at all; may be called again. */
    private readonly onSlow: () => void,
  ) {
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        clearTimeout(this.stall);
        resolve();
      });
    });
  }

  get isWaiting(): boolean {
    return this.waiting > 0;
  }

  /**
   * Resolves when the operating system has taken the message, so that a subscription's next event is not fetched before.
   * A socket that breaks meanwhile closes by itself, and the operation ends with it.
   */
  async send(text: string): Promise<void> {
    // Until it has closed its subscriptions rest: going on, they would fetch events that are never sent.
    if (this.socket.readyState !== this.socket.OPEN) return this.closed;
    const taken = new Promise<void>((resolve) => {
      this.socket.send(text, () => resolve());
    });
    if (this.socket.bufferedAmount === 0) return;
    this.hold();
    await taken;
    this.release();
  }

  /** Before each result: a subscription with a backlog is sent without a pause where its client reads fast. */
  async letOthersIn(): Promise<void> {
    this.turning ??= this.turn();
    this.sentInTurn += 1;
    if (this.sentInTurn >= MESSAGES_IN_TURN_MAX) await this.turning;
  }

  private async turn(): Promise<void> {
    await setImmediate();
    this.turning = null;
    this.sentInTurn = 0;
  }

  private hold(): void {
    this.waiting += 1;
    if (this.waiting === 1) {
      this.socket.pause();
      this.stall = setTimeout(this.onSlow, this.limits.stallMs);
    }
    const { messages, bytes } = this.limits;
    if (this.waiting > messages || this.socket.bufferedAmount > bytes) this.onSlow();
  }

  private release(): void {
    this.waiting -= 1;
    if (this.waiting > 0) {
      this.stall?.refresh();
      return;
    }
    clearTimeout(this.stall);
    this.socket.resume();
  }
}
