import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.js';
import type { BenchReport } from './bench-process.js';
import type { Mode } from './suite.js';

/** A bench at work in its own process, seen from the process that gives it its turns. */
export class Contender {
  readonly bench: Bench;
  readonly #child: ChildProcess;
  #answer: ((report: BenchReport) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(of: {
    readonly bench: Bench;
    readonly moduleUrl: string;
    readonly mode: Mode;
    readonly nodePath: string;
  }) {
    const { bench, moduleUrl, mode, nodePath } = of;
    this.bench = bench;
    const program = fileURLToPath(new URL('./bench-process.js', import.meta.url));
    this.#child = fork(program, [moduleUrl, bench.name, mode], {
      execPath: nodePath,
      execArgv: ['--enable-source-maps', '--conditions=offloop-internal', '--expose-gc'],
    });
    this.#child.on('message', (report: BenchReport) => this.#answer?.(report));
    this.#child.on('error', (error) => this.#fail?.(error));
    // And not when it exits, which can become known before its last message is read.
    this.#child.on('disconnect', () => this.#fail?.(new Error(`bench ${bench.name} ended early`)));
  }

  /** Resolves when the bench has passed its gate and is warm. */
  async open(): Promise<void> {
    await this.#next();
  }

  /** @returns Nanoseconds an operation took in this round. */
  async measure(): Promise<number> {
    const report = await this.#ask('round');
    return report.type === 'round' ? report.nsPerOperation : Number.NaN;
  }

  /** The gate after the last round. */
  async finish(): Promise<void> {
    await this.#ask('finish');
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #ask(message: string): Promise<BenchReport> {
    const answer = this.#next();
    this.#child.send(message);
    return answer;
  }

  #next(): Promise<BenchReport> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
  }
}
