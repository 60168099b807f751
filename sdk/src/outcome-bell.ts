/** Events of redemptions that were settled; `createSubscriptions` of `@redeemkit/client/subscriptions` has them. */
export interface SettledEvents {
  onRedemptionSettled(options: {
    readonly name: null;
    readonly onEvent: (event: { readonly orderNo: string }) => void;
    readonly onState: (state: 'CONNECTING' | 'OPEN' | 'WAITING' | 'CLOSED') => void;
  }): { close(): void };
}

/**
 * Rings when the outcome of a redemption may be known, so that it is asked for at once and hardly ever in vain: by its
 * event, and when the stream begins, because the outcome may have come before.
 */
export class OutcomeBell {
  /** Whether every event from now on is heard. */
  isListening = false;
  private readonly events: SettledEvents | undefined;
  private stream: { close(): void } | null = null;
  private isOver = false;
  private hasRung = false;
  private wake = (): void => undefined;

  constructor(events: SettledEvents | undefined) {
    this.events = events;
  }

  /** @returns null where nothing is listened to; then the outcome has to be asked for now and then */
  rung(orderNo: string | null): Promise<void> | null {
    if (this.events === undefined || orderNo === null || this.isOver) return null;
    this.stream ??= this.listen(this.events, orderNo);
    return new Promise((resolve) => {
      this.wake = () => {
        this.hasRung = false;
        resolve();
      };
      if (this.hasRung) this.wake();
    });
  }

  close(): void {
    this.isOver = true;
    this.stream?.close();
  }

  private listen(events: SettledEvents, own: string): { close(): void } {
    return events.onRedemptionSettled({
      name: null,
      onEvent: ({ orderNo }) => {
        if (orderNo === own) this.ring();
      },
      onState: (state) => {
        this.isListening = state === 'OPEN';
        this.isOver ||= state === 'CLOSED';
        if (state === 'OPEN' || state === 'CLOSED') this.ring();
      },
    });
  }

  private ring(): void {
    this.hasRung = true;
    this.wake();
  }
}
