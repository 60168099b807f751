/** A message counts as one for each part of this size that it begins. */
const PART_BYTES = 4096;
/** Seconds whose messages may come at once. */
const BURST_S = 3;

/** What one socket may send: messages a second, and a burst after a quiet while. */
export class MessageAllowance {
  private left: number;
  private countedMs = performance.now();

  constructor(private readonly perSecond: number) {
    this.left = perSecond * BURST_S;
  }

  /** Whether a message of this size is within the allowance. */
  takes(bytes: number): boolean {
    const nowMs = performance.now();
    const earned = ((nowMs - this.countedMs) / 1000) * this.perSecond;
    this.left = Math.min(this.left + earned, this.perSecond * BURST_S);
    this.countedMs = nowMs;
    this.left -= Math.max(1, Math.ceil(bytes / PART_BYTES));
    return this.left >= 0;
  }
}
