import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from '../harness/statistics.js';
import type { ServerOrder, ServerReport } from './middleware-server.js';

const EXPRESS_PACKAGES = ['express4', 'express5'];
const CONTENDERS = ['empty layer', 'observer alone', 'offloop', 'express-prom-bundle'];

/** How much is measured. Fresh processes a pass, as one process can be a little faster than its twin for all its life. */
export interface MiddlewareBenchSize {
  readonly passCount: number;
  readonly roundCount: number;
  /** Rounds go on beyond `roundCount` for as long, seconds: the same noise from fast and slow Node. */
  readonly secondsMin: number;
  readonly requestCount: number;
  readonly warmUpRequestCount: number;
}

export const SMOKE: MiddlewareBenchSize = {
  passCount: 1,
  roundCount: 2,
  secondsMin: 0,
  requestCount: 200,
  warmUpRequestCount: 200,
};

/** Five minutes or more. */
export const FULL: MiddlewareBenchSize = {
  passCount: 5,
  roundCount: 12,
  secondsMin: 5,
  requestCount: 2_000,
  warmUpRequestCount: 30_000,
};

/** Main-thread CPU of one request. */
export interface MiddlewareResult {
  readonly express: string;
  readonly contender: string;
  /** With the contender; the median of the passes. */
  readonly cpuUs: number;
  /** What it takes more than bare Express does in the same process; the median of the passes. */
  readonly addedUs: number;
}

/**
 * What each contender adds to the main-thread CPU of a request to Express.
 *
 * Each has a process of its own, in which it is taken out and put back round by round: two processes that run the same code differ by
 * microseconds a request for all their lives, one process does not differ from itself.
 *
 * @param nodePath Node under which the servers run; the one that runs this by default.
 * @throws When a contender has not counted every request that was sent while it took part.
 */
export async function benchMiddleware(
  size: MiddlewareBenchSize,
  nodePath: string = process.execPath,
): Promise<MiddlewareResult[]> {
  const results: MiddlewareResult[] = [];
  for (const express of EXPRESS_PACKAGES) {
    const passes: ReadonlyMap<string, Cost>[] = [];
    for (let pass = 0; pass < size.passCount; pass += 1) {
      passes.push(await measurePass({ express, nodePath }, size));
    }
    for (const contender of CONTENDERS) {
      const costs = passes.map((pass) => pass.get(contender) as Cost);
      results.push({
        express,
        contender,
        cpuUs: median(costs.map((cost) => cost.cpuUs)),
        addedUs: median(costs.map((cost) => cost.addedUs)),
      });
    }
  }
  return results;
}

type Cost = Pick<MiddlewareResult, 'cpuUs' | 'addedUs'>;

/**
 * All contenders side by side, a round of each in turn: for minutes at a time a shared machine is twice as slow as at others, and what is
 * compared has to be measured in the same ones.
 */
async function measurePass(
  options: Omit<BenchServerOptions, 'contender'>,
  size: MiddlewareBenchSize,
): Promise<Map<string, Cost>> {
  const servers = CONTENDERS.map((contender) => new BenchServer({ ...options, contender }));
  const rounds = new Map(
    CONTENDERS.map((contender) => [contender, { withIt: [] as number[], added: [] as number[] }]),
  );
  try {
    for (const server of servers) {
      await server.open();
      await server.measure(size.warmUpRequestCount, true);
      await server.measure(size.warmUpRequestCount, false);
    }
    const endMs = performance.now() + size.secondsMin * 1_000 * servers.length;
    for (let round = 0; round < size.roundCount || performance.now() < endMs; round += 1) {
      for (const server of servers) {
        // The order changes round by round: what grows dearer in time hits both alike.
        const isFirst = round % 2 === 0;
        const first = await server.measure(size.requestCount, isFirst);
        const second = await server.measure(size.requestCount, !isFirst);
        const { withIt, added } = rounds.get(server.contender) as {
          withIt: number[];
          added: number[];
        };
        withIt.push(isFirst ? first : second);
        added.push(isFirst ? first - second : second - first);
      }
    }
    for (const server of servers) await server.checkCount();
  } finally {
    for (const server of servers) server.close();
  }
  return new Map(
    [...rounds].map(([contender, { withIt, added }]) => [
      contender,
      { cpuUs: median(withIt), addedUs: median(added) },
    ]),
  );
}

interface BenchServerOptions {
  readonly express: string;
  readonly contender: string;
  readonly nodePath: string;
}

class BenchServer {
  readonly contender: string;
  readonly #child: ChildProcess;
  #observedCount = 0;

  constructor({ express, contender, nodePath }: BenchServerOptions) {
    this.contender = contender;
    const program = fileURLToPath(new URL('./middleware-server.js', import.meta.url));
    this.#child = fork(program, [express, contender], {
      execPath: nodePath,
      execArgv: ['--conditions=offloop-internal'],
      // Express prepares for production what it prepares anew for each request in development.
      env: { ...process.env, NODE_ENV: 'production' },
    });
  }

  async open(): Promise<void> {
    await this.#nextReport();
  }

  /** @returns CPU microseconds a request. */
  async measure(requestCount: number, isOn: boolean): Promise<number> {
    const before = await this.#order({ requestCount: 0, isOn });
    if (isOn) this.#observedCount += requestCount;
    const after = await this.#order({ requestCount, isOn });
    return (after.cpuUs - before.cpuUs) / requestCount;
  }

  async checkCount(): Promise<void> {
    const { countedCount } = await this.#order({ requestCount: 0, isOn: true, isCounted: true });
    const isCounter = this.contender === 'offloop' || this.contender === 'observer alone';
    if (isCounter && countedCount !== this.#observedCount) {
      throw new Error(
        `${this.contender} counted ${countedCount} of ${this.#observedCount} requests`,
      );
    }
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #order(order: ServerOrder): Promise<ServerReport> {
    this.#child.send(order);
    return this.#nextReport();
  }

  async #nextReport(): Promise<ServerReport> {
    const [report] = await once(this.#child, 'message');
    return report;
  }
}
