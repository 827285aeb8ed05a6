import type { MessagePort, ResourceLimits, Worker } from 'node:worker_threads';
import type { ExpositionRequest, PageSink } from '@offloop/core/engine';
import { Piscina } from 'piscina';
import type { PageTask } from '../thread/page-messages.js';
import { POOL_THREAD_MARK, type StartTask } from '../thread/thread-tasks.js';
import { PageReceiver } from './page-receiver.js';

/** A flush and a scrape or two at a time; more wait in the pool's queue. */
const CONCURRENT_TASKS = 16;

/**
 * piscina asks for the thread's file by `require`, and takes `import` where that is refused. Of an ES module it has to be: a thread that is
 * ended while Node instantiates one for `require` aborts the whole process (seen with Node 20.20).
 */
const NO_REQUIRE_OF_ES_MODULES = ['--no-experimental-require-module'].filter((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

/** A terminated thread ends within milliseconds, unless a native call holds it: then nobody waits longer than this. */
const EXIT_MS_MAX = 1_500;

export interface PoolThreadOptions {
  readonly path: string;
  readonly resourceLimits?: ResourceLimits;
}

/** How a thread ended. */
export interface ThreadEnd {
  /** `false`: it was told to end and has not; it may still hold the lease, but takes no further task. */
  readonly hasExited: boolean;
  readonly reason: unknown;
}

/**
 * One thread, from its start to its end, in a piscina pool of its own.
 *
 * Its own, because the pool's replacement of a dead thread has no drain, is started even where threads keep dying, gets its tasks only
 * when main's loop has turned, and leaves them in the queue for ever if it dies while it boots. The first thread of a pool gets
 * its tasks while it boots, and loses none.
 */
export class PoolThread {
  /** Resolves once, whatever happens. */
  readonly ended: Promise<ThreadEnd>;
  /** Resolves when it has exited, which it may never do. */
  readonly exited: Promise<void>;
  private readonly pool: Piscina;
  private readonly pages = new PageReceiver();
  private readonly worker: Worker;
  private settleEnd: (end: ThreadEnd) => void = () => {};
  private lostBecause: unknown;
  private lost = false;

  /** @throws What Node throws when it cannot start a thread at all. */
  constructor(options: PoolThreadOptions) {
    this.pool = new Piscina({
      filename: options.path,
      name: 'start',
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: CONCURRENT_TASKS,
      // With piscina's default an idle thread sits in Atomics.wait, where its timers never fire.
      atomics: 'disabled',
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      // The application's --require and --import are not for this thread: one that measures would do so here again, and take the port.
      execArgv: NO_REQUIRE_OF_ES_MODULES,
      env: { ...process.env, NODE_OPTIONS: '' },
      workerData: POOL_THREAD_MARK,
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    });
    // Without a listener, an error in a thread that has no task kills the process. What it says, the worker says as well.
    this.pool.on('error', () => {});
    // A thread that ends is not replaced by the pool, but by the engine. Where piscina no longer looks here, `destroy` ends the replacement.
    Reflect.set(this.pool.options, 'minThreads', 0);
    this.worker = this.pool.threads[0] as Worker;
    this.ended = new Promise((settle) => {
      this.settleEnd = (end) => {
        this.pages.end();
        settle(end);
      };
    });
    this.worker.once('error', (error) => this.terminate(error));
    this.worker.once('exit', (exitCode) => {
      this.terminate(`it ended with exit code ${exitCode}`);
      void this.pool.destroy();
      this.settleEnd({ hasExited: true, reason: this.lostBecause });
    });
    this.exited = new Promise((settle) => {
      this.worker.once('exit', () => settle());
    });
  }

  /** Whether it has ended, or was told to. */
  get isLost(): boolean {
    return this.lost;
  }

  /** @returns Whether the thread has taken the drain over; `undefined` when it is lost. */
  start(task: Omit<StartTask, 'port'>): Promise<boolean | undefined> {
    const { threadPort } = this.pages;
    const channels = task.offLoopPort === undefined ? [] : [task.offLoopPort.channel];
    return this.run('start', { ...task, port: threadPort }, [threadPort, ...channels]);
  }

  /** @returns `false` when the thread lost the lease; `undefined` when it is lost itself. */
  flush(): Promise<boolean | undefined> {
    return this.run('flush', undefined);
  }

  /** @returns `true` when the page is over; `false` or `undefined` when the thread lost the lease, or is lost itself, in the middle or before. */
  async stream(
    request: ExpositionRequest,
    sink: PageSink,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    const { pageId, isWhole } = this.pages.open(sink);
    const cancel = () => this.pages.cancel(pageId);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const task: PageTask = { pageId, request };
      const isSent = await this.run<boolean>('render', task);
      if (isSent !== true || signal.aborted) return isSent;
      // The last chunk and the task's end come on different ways. Nothing is hung on `ended`: it would stay there for as long as the thread lives.
      return (await isWhole) || undefined;
    } finally {
      signal.removeEventListener('abort', cancel);
      this.pages.close(pageId);
    }
  }

  /** Ends the thread, wherever it is. Its tasks are lost at once. */
  terminate(reason: unknown): void {
    if (this.lost) return;
    this.lost = true;
    this.lostBecause = reason;
    void this.pool.destroy();
    const { worker } = this;
    const giveUp = (): void => {
      // Terminating has referenced it.
      worker.unref();
      this.settleEnd({ hasExited: false, reason });
    };
    // By way of the loop's next phase: where this thread was held meanwhile, the exit lies waiting there.
    const patience = setTimeout(() => setImmediate(giveUp), EXIT_MS_MAX).unref();
    worker.once('exit', () => clearTimeout(patience));
  }

  private async run<Result>(
    name: string,
    task: unknown,
    transferList: readonly MessagePort[] = [],
  ): Promise<Result | undefined> {
    if (this.lost) return undefined;
    try {
      return (await this.pool.run(task, { name, transferList: [...transferList] })) as Result;
    } catch (error) {
      // What a thread throws while it is being ended is as likely as not an artefact of that, and none that throws by itself is to be
      // trusted with the next task.
      this.terminate(error);
      return undefined;
    }
  }
}
