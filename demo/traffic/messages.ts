/** Sent to the traffic process: send nothing more, wait for the answers that are due, report, and end. */
export const STOP = 'stop';

/** Its last message. */
export interface TrafficReport {
  /** Answers read to their end. */
  readonly answers: number;
  /** Requests without one: refused or cut off. */
  readonly failures: number;
  /** Messages read from WebSockets. */
  readonly messages: number;
}

export function isTrafficReport(message: unknown): message is TrafficReport {
  return (
    typeof message === 'object' && message !== null && 'answers' in message && 'failures' in message
  );
}
