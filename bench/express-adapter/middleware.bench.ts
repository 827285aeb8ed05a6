import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { ServerOrder, ServerReport } from './middleware-server.js';
import { RequestLoad } from './request-load.js';

const EXPRESS_PACKAGES = ['express4', 'express5'];
const CONTENDERS = ['empty layer', 'observer alone', 'offloop', 'express-prom-bundle'];

/** How much is measured. Fresh processes a pass, as one process can be a little faster than its twin for all its life. */
export interface MiddlewareBenchSize {
  /** `memory` leaves the kernel out, `loopback` has everything in, and several times the noise. */
  readonly transport: 'memory' | 'loopback';
  readonly passCount: number;
  readonly roundCount: number;
  /** Rounds go on beyond `roundCount` for as long, seconds: the same noise from fast and slow Node. */
  readonly secondsMin: number;
  readonly requestCount: number;
  readonly warmUpRequestCount: number;
}

export const SMOKE: MiddlewareBenchSize = {
  transport: 'memory',
  passCount: 1,
  roundCount: 2,
  secondsMin: 0,
  requestCount: 200,
  warmUpRequestCount: 200,
};

/** Five minutes or more. */
export const FULL: MiddlewareBenchSize = {
  transport: 'memory',
  passCount: 5,
  roundCount: 12,
  secondsMin: 5,
  requestCount: 2_000,
  warmUpRequestCount: 30_000,
};

/** Over the network, with fewer requests, as each costs more. */
export const LOOPBACK: MiddlewareBenchSize = {
  ...FULL,
  transport: 'loopback',
  requestCount: 3_000,
  warmUpRequestCount: 8_000,
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
      passes.push(await measurePass({ express, nodePath, transport: size.transport }, size));
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
  readonly transport: MiddlewareBenchSize['transport'];
}

class BenchServer {
  readonly contender: string;
  readonly #child: ChildProcess;
  readonly #transport: MiddlewareBenchSize['transport'];
  #load: RequestLoad | undefined;
  #observedCount = 0;

  constructor({ express, contender, nodePath, transport }: BenchServerOptions) {
    this.contender = contender;
    this.#transport = transport;
    const program = fileURLToPath(new URL('./middleware-server.js', import.meta.url));
    this.#child = fork(program, [express, contender], {
      execPath: nodePath,
      execArgv: ['--conditions=offloop-internal'],
      // Express prepares for production what it prepares anew for each request in development.
      env: { ...process.env, NODE_ENV: 'production' },
    });
  }

  async open(): Promise<void> {
    const { port } = await this.#nextReport();
    this.#load = new RequestLoad(port);
    await this.#load.open();
  }

  /** @returns CPU microseconds a request. */
  async measure(requestCount: number, isOn: boolean): Promise<number> {
    const before = await this.#order({ requestCount: 0, isOn });
    if (isOn) this.#observedCount += requestCount;
    if (this.#transport === 'memory') await this.#order({ requestCount, isOn });
    else await this.#load?.send(requestCount, (index) => `/api/users/${index}`);
    const after = await this.#order({ requestCount: 0, isOn });
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
    this.#load?.close();
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

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The results as a table, with the share of express-prom-bundle's costs in the last column. */
export function middlewareTable(results: readonly MiddlewareResult[]): string {
  const lines = results.map(({ express, contender, cpuUs, addedUs }) => {
    const bundle = results.find(
      (other) => other.express === express && other.contender === 'express-prom-bundle',
    );
    const share = ((100 * addedUs) / (bundle?.addedUs ?? Number.NaN)).toFixed(1);
    return `| ${express} | ${contender} | ${cpuUs.toFixed(2)} | ${addedUs.toFixed(2)} | ${share} % |`;
  });
  return [
    '| express | contender | CPU µs a request | added | of express-prom-bundle |',
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      smoke: { type: 'boolean' },
      loopback: { type: 'boolean' },
      node: { type: 'string' },
    },
  });
  const size = values.smoke === true ? SMOKE : values.loopback === true ? LOOPBACK : FULL;
  const results = await benchMiddleware(size, values.node);
  console.log(middlewareTable(results));
}
