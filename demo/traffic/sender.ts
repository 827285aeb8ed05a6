import { Agent, request } from 'node:http';
import type { TrafficReport } from './messages.js';
import { drawRequest, type PlannedRequest } from './request-mix.js';

/** Short against a second, so that the requests come as a stream and not in bursts. */
const TICK_MS = 10;
/** More clients than any of the app's routes keeps waiting at once, and few enough for one process. */
const SOCKET_COUNT_MAX = 64;
/** Less than the 5 s after which Node's server closes an idle connection: a request must not meet that. */
const IDLE_SOCKET_MS = 2_000;
/** While the app does not answer, further requests would only pile up in here. */
const IN_FLIGHT_MAX = 500;
/** No route takes a second; only an app that hangs keeps us waiting longer. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Sends requests to one origin at a constant rate, whether the answers come fast or slowly. */
export class Sender {
  readonly #origin: URL;
  readonly #rate: number;
  readonly #agent = new Agent({
    keepAlive: true,
    maxSockets: SOCKET_COUNT_MAX,
    timeout: IDLE_SOCKET_MS,
  });
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #onIdle: (() => void) | undefined;
  #plannedCount = 0;
  #inFlight = 0;
  #answers = 0;
  #failures = 0;

  /** @param rate Requests a second. */
  constructor(origin: URL, rate: number) {
    this.#origin = origin;
    this.#rate = rate;
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
  }

  /** Sends nothing more, and resolves when all that was sent is answered. */
  async stop(): Promise<Pick<TrafficReport, 'answers' | 'failures'>> {
    clearInterval(this.#timer);
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#agent.destroy();
    return { answers: this.#answers, failures: this.#failures };
  }

  #sendDue(): void {
    const elapsedMs = performance.now() - this.#startedMs;
    const dueCount = Math.floor((elapsedMs * this.#rate) / 1_000);
    while (this.#plannedCount < dueCount) {
      this.#plannedCount += 1;
      // What is due while the app hangs is left out, not made up for: no client comes back with all it has missed.
      if (this.#inFlight < IN_FLIGHT_MAX) this.#send(drawRequest());
    }
  }

  #send({ method, path, body }: PlannedRequest): void {
    this.#inFlight += 1;
    const { hostname, port } = this.#origin;
    const headers =
      body === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const sent = request(
      { hostname, port, method, path, headers, agent: this.#agent, timeout: ANSWER_TIMEOUT_MS },
      (response) => {
        response.resume();
        response.once('close', () => this.#settle(response.complete));
      },
    );
    sent.once('timeout', () => sent.destroy());
    let hasAnswer = false;
    sent.once('response', () => {
      hasAnswer = true;
    });
    sent.once('error', () => {
      if (!hasAnswer) this.#settle(false);
    });
    sent.end(body);
  }

  #settle(isAnswered: boolean): void {
    this.#inFlight -= 1;
    if (isAnswered) this.#answers += 1;
    else this.#failures += 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }
}
