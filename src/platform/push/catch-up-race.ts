/** Half of a page: a subscriber that reads one while the tail gains no more comes nearer. */
const TAIL_GAIN_MAX = 50;

/**
 * One who catches up, against a tail that moves on. All who catch up share one pace, so it may be slower than the new
 * events of a tenant: a subscriber that does not come nearer fast enough is not paced until it has joined the tail.
 */
export class CatchUpRace {
  private hasLost = false;
  /** Beyond this number the tail has gained too much on the page that is read. */
  private limitSeq = Infinity;

  constructor(private readonly tail: { readonly joinSeq: number }) {}

  beginPage(afterSeq: number): void {
    this.isLosing();
    const { joinSeq } = this.tail;
    this.limitSeq = joinSeq + Math.min(TAIL_GAIN_MAX, (joinSeq - afterSeq) / 2);
  }

  /** Looked at before each slice: with many who catch up, a page alone may take longer than events can be caught up. */
  isLosing(): boolean {
    this.hasLost ||= this.tail.joinSeq > this.limitSeq;
    return this.hasLost;
  }

  /** It has joined the tail. */
  end(): void {
    this.hasLost = false;
    this.limitSeq = Infinity;
  }
}
