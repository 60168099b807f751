/** An event of the directory as it came. */
export interface DeliveredEvent {
  /** Its place in the stream. */
  readonly place: string;
  readonly text: string;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
}

/**
 * Where events of the directory come from: a Redis Stream, or a topic of Kafka or NATS. Each is delivered at least once, to one
 * of the workers, in no certain order, and again until it is acknowledged.
 */
export interface TenantEventSource {
  /** Takes this worker's place. @returns whether the group's place is new, so that earlier events may be missing */
  open(): Promise<boolean>;
  /**
   * Events that are due; waits for a while where there are none.
   * @throws SourceLostError where the group's place is gone
   */
  next(): Promise<readonly DeliveredEvent[]>;
  acknowledge(place: string): Promise<void>;
  /** How many events wait for any worker, or for its acknowledgement. */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

/** The source has lost what it knew of its readers, and events with it: it was emptied. */
export class SourceLostError extends Error {
  override readonly name = 'SourceLostError';
}
