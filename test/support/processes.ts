import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a program and returns at once. */
export type StartProcess = (
  file: string,
  args: readonly string[],
  options?: ProcessOptions,
) => RunningProcess;

/**
 * Gives the enclosing suite a way to start programs. Whatever still runs after its last test is killed, so that neither a
 * failure nor a timeout leaves a process behind.
 */
export function useProcesses(): StartProcess {
  const started: RunningProcess[] = [];
  after(async function () {
    this.timeout(60_000);
    await Promise.all(started.map((running) => running.stop('SIGKILL')));
  });
  return (file, args, options = {}) => {
    const running = new RunningProcess(file, args, options);
    started.push(running);
    return running;
  };
}

/** A program that a test has started, with everything it has printed so far. */
export class RunningProcess {
  readonly #command: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<ProcessEnd>;
  readonly #waiting = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #hasEnded = false;

  constructor(file: string, args: readonly string[], options: ProcessOptions) {
    this.#command = [file, ...args].join(' ');
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#wake();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#wake();
    });
    this.#child = child;
    this.#ended = this.#watch();
    // A program that cannot be started rejects here; whoever waits for it sees that, and nobody else has to.
    this.#ended.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves with the first match in either stream; rejects, with all output, at the end or after `timeoutMs`. */
  async waitForOutput(pattern: RegExp, timeoutMs = 10_000): Promise<RegExpMatchArray> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const match = this.#stdout.match(pattern) ?? this.#stderr.match(pattern);
      if (match !== null) return match;
      if (this.#hasEnded) throw this.#failure(`ended without printing ${pattern}`);
      if (Date.now() >= deadline) {
        throw this.#failure(`did not print ${pattern} within ${timeoutMs} ms`);
      }
      await this.#change(deadline - Date.now());
    }
  }

  /** Resolves when the program has ended by itself; rejects, with all output, when it has not after `timeoutMs`. */
  async waitForEnd(timeoutMs = 10_000): Promise<ProcessEnd> {
    const deadline = Date.now() + timeoutMs;
    while (!this.#hasEnded) {
      if (Date.now() >= deadline) throw this.#failure(`did not end within ${timeoutMs} ms`);
      await this.#change(deadline - Date.now());
    }
    return this.#ended;
  }

  /** Sends a signal to this one process and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ProcessEnd | undefined> {
    if (!this.#hasEnded) this.#child.kill(signal);
    return this.#ended.catch(() => undefined);
  }

  async #watch(): Promise<ProcessEnd> {
    try {
      const [exitCode, signal] = (await once(this.#child, 'close')) as [
        number | null,
        NodeJS.Signals | null,
      ];
      return { exitCode, signal, stdout: this.#stdout, stderr: this.#stderr };
    } finally {
      this.#hasEnded = true;
      this.#wake();
    }
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #failure(what: string): Error {
    return new Error(
      `\`${this.#command}\` ${what}\n── stdout ──\n${this.#stdout}\n── stderr ──\n${this.#stderr}`,
    );
  }
}
