import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { ServerOrder, ServerReport } from './middleware-server.js';
import { RequestLoad } from './request-load.js';

const EXPRESS_PACKAGES = ['express4', 'express5'];
const CONTENDERS = ['bare', 'empty layer', 'observer alone', 'offloop', 'express-prom-bundle'];

/** How much is measured. Fresh processes a pass, as one process can be a little faster than its twin for all its life. */
export interface MiddlewareBenchSize {
  /** `memory` leaves the kernel out, `loopback` has everything in, and several times the noise. */
  readonly transport: 'memory' | 'loopback';
  readonly passCount: number;
  readonly roundCount: number;
  readonly requestCount: number;
  readonly warmUpRequestCount: number;
}

export const SMOKE: MiddlewareBenchSize = {
  transport: 'memory',
  passCount: 1,
  roundCount: 2,
  requestCount: 200,
  warmUpRequestCount: 200,
};

/** Three minutes or more. */
export const FULL: MiddlewareBenchSize = {
  transport: 'memory',
  passCount: 3,
  roundCount: 12,
  requestCount: 3_000,
  warmUpRequestCount: 20_000,
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
  /** Of the best round; the median of the passes. */
  readonly cpuUs: number;
  /** What the best round took above the best round of bare Express; the median of the passes. */
  readonly addedUs: number;
}

/**
 * What each contender adds to the main-thread CPU of a request to Express.
 *
 * Each contender has a process of its own, as an observer subscribes to a channel of the whole process: beside it, a bare
 * server would not be bare. The processes take turns, round by round, and only one is under load at a time.
 *
 * @param nodePath Node under which the servers run; the one that runs this by default.
 * @throws When a contender has not counted every request that was sent.
 */
export async function benchMiddleware(
  size: MiddlewareBenchSize,
  nodePath: string = process.execPath,
): Promise<MiddlewareResult[]> {
  const results: MiddlewareResult[] = [];
  for (const express of EXPRESS_PACKAGES) {
    const passes: Map<string, number>[] = [];
    for (let pass = 0; pass < size.passCount; pass += 1) {
      passes.push(bestOf(await measurePass(express, size, nodePath)));
    }
    for (const contender of CONTENDERS) {
      const cpuUs = passes.map((best) => best.get(contender) ?? Number.NaN);
      const addedUs = passes.map((best, index) => (cpuUs[index] ?? 0) - (best.get('bare') ?? 0));
      results.push({ express, contender, cpuUs: median(cpuUs), addedUs: median(addedUs) });
    }
  }
  return results;
}

/** Best round of each contender: whatever else the machine does makes a round slower, and never faster. */
function bestOf(rounds: readonly Map<string, number>[]): Map<string, number> {
  return new Map(
    CONTENDERS.map((contender) => [
      contender,
      Math.min(...rounds.map((round) => round.get(contender) ?? Number.NaN)),
    ]),
  );
}

async function measurePass(
  express: string,
  size: MiddlewareBenchSize,
  nodePath: string,
): Promise<Map<string, number>[]> {
  const servers: BenchServer[] = [];
  try {
    for (const contender of CONTENDERS) {
      const server = new BenchServer({ express, contender, nodePath, transport: size.transport });
      servers.push(server);
      await server.open();
      await server.send(size.warmUpRequestCount);
    }
    const rounds: Map<string, number>[] = [];
    for (let round = 0; round < size.roundCount; round += 1) {
      const cpuUs = new Map<string, number>();
      // Another one begins each time: what the machine does meanwhile hits all of them alike.
      for (let turn = 0; turn < servers.length; turn += 1) {
        const server = servers[(round + turn) % servers.length];
        if (server === undefined) continue;
        cpuUs.set(server.contender, await server.measure(size.requestCount));
      }
      rounds.push(cpuUs);
    }
    for (const server of servers) await server.checkCount();
    return rounds;
  } finally {
    for (const server of servers) server.close();
  }
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
  #sentCount = 0;

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

  async send(requestCount: number): Promise<void> {
    this.#sentCount += requestCount;
    if (this.#transport === 'memory') await this.#order({ requestCount });
    else await this.#load?.send(requestCount, (index) => `/api/users/${index}`);
  }

  async measure(requestCount: number): Promise<number> {
    const before = await this.#order({ requestCount: 0 });
    await this.send(requestCount);
    const after = await this.#order({ requestCount: 0 });
    return (after.cpuUs - before.cpuUs) / requestCount;
  }

  async checkCount(): Promise<void> {
    const { countedCount } = await this.#order({ requestCount: 0, isCounted: true });
    const isCounter = this.contender === 'offloop' || this.contender === 'observer alone';
    if (isCounter && countedCount !== this.#sentCount) {
      throw new Error(`${this.contender} counted ${countedCount} of ${this.#sentCount} requests`);
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
