/** What a flood sends: the same requests over many connections, or the same subscription many times on one socket. */
export type FloodJob =
  | {
      readonly kind: 'HTTP';
      readonly url: string;
      readonly connections: number;
      readonly headers: Readonly<Record<string, string>>;
      /** Sent in turn. */
      readonly bodies: readonly string[];
    }
  | {
      readonly kind: 'SOCKET';
      readonly url: string;
      readonly token: string;
      readonly query: string;
      readonly operations: number;
      /** Events after which an operation starts over. */
      readonly eventsEach: number;
    };

export interface FloodResult {
  /** How often each HTTP status, or kind of message, came back. */
  readonly statuses: Readonly<Record<string, number>>;
}
