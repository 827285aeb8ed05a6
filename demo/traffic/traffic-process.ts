import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isTrafficReport, STOP, type TrafficReport } from './messages.js';

/** More than the slowest answer takes; a process that is still there then hangs. */
const STOP_TIMEOUT_MS = 6_000;

/** The process that plays the app's clients. It ends when it is told to, and also when this process is gone. */
export class TrafficProcess {
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  #report: TrafficReport | undefined;

  /** @param rate Requests a second. */
  constructor(origin: string, rate: number) {
    this.#child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), [
      origin,
      String(rate),
    ]);
    this.#child.on('message', (message) => {
      if (isTrafficReport(message)) this.#report = message;
    });
    // 'error' is all that comes where no process could be started.
    this.#child.on('error', () => {});
    this.ended = Promise.race([once(this.#child, 'exit'), once(this.#child, 'error')]).catch(
      () => {},
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Lets the process read the answers that are due, and end.
   *
   * @returns What it has sent; `undefined` when it could not say.
   */
  async stop(): Promise<TrafficReport | undefined> {
    // An error means that the channel is closed: the process has ended or is about to.
    if (this.#child.connected) this.#child.send(STOP, () => {});
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
    return this.#report;
  }
}
