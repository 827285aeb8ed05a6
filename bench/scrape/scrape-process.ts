// Scrapes one subject: `node scrape-process.js <subject> <series> <scrapes>`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createEngine, TEXT_CONTENT_TYPE } from '@offloop/express';
import { PageResponse } from '@offloop/worker/internal/http/page-response.js';
import { offloopPage, promPage } from '../core/exposition/page.js';
import { median } from '../harness/statistics.js';
import { HoldMeter } from './hold-meter.js';
import type { Asked, Received } from './scrape-client.js';

/** What the process tells its parent, a scrape. */
export interface ScrapeCost {
  /** Time in which the main thread could do nothing else, in all. */
  readonly mainHeldMs: number;
  /** The longest such time without a break: how late another request's turn may come. */
  readonly longestHoldMs: number;
  /** CPU time of all threads. */
  readonly cpuMs: number;
  /** Until the client has the page, as far as the main thread can tell. */
  readonly latencyMs: number;
  /** Largest resident memory of the process, with its metrics and after all scrapes. */
  readonly peakRssBytes: number;
}

const WARM_UP_SCRAPES = 3;

const [, , subject = '', series = '0', scrapes = '0'] = process.argv;
const seriesCount = Number(series);
const { answer, close } = subject === 'offloop' ? startOffloop() : startProm();
const meter = new HoldMeter();
const server = createServer((request, response) => {
  meter.mark();
  for (const event of ['drain', 'finish', 'close']) response.on(event, () => meter.mark());
  answer(request, response);
}).listen(0, '127.0.0.1');
// Not before: to ask the client to ask takes its time, too.
server.on('connection', () => meter.begin());
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const client = fork(fileURLToPath(new URL('./scrape-client.js', import.meta.url)));

const costs: Omit<ScrapeCost, 'peakRssBytes'>[] = [];
for (let count = 0; count < WARM_UP_SCRAPES + Number(scrapes); count++) {
  const cost = await measureScrape();
  if (count >= WARM_UP_SCRAPES) costs.push(cost);
}
const result: ScrapeCost = {
  longestHoldMs: median(costs.map(({ longestHoldMs }) => longestHoldMs)),
  mainHeldMs: median(costs.map(({ mainHeldMs }) => mainHeldMs)),
  cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
  latencyMs: median(costs.map(({ latencyMs }) => latencyMs)),
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
};
process.send?.(result);
client.disconnect();
server.close();
await close();
process.disconnect();

/** @returns When the client has the page. */
async function scrape(): Promise<void> {
  const received = once(client, 'message');
  client.send({ port } satisfies Asked);
  const [{ bytes }] = (await received) as [Received];
  // A header of two lines, and of each series 12 buckets, sum and count.
  const leastBytes = seriesCount * 14 * 'request_seconds_sum{} 1\n'.length;
  if (bytes < leastBytes) throw new Error(`a page of ${bytes} bytes`);
}

async function measureScrape(): Promise<Omit<ScrapeCost, 'peakRssBytes'>> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const startedMs = performance.now();
  const utilization = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  await scrape();
  const latencyMs = performance.now() - startedMs;
  const mainHeldMs = performance.eventLoopUtilization(utilization).active;
  const { user, system } = process.cpuUsage(cpu);
  const longestHoldMs = await meter.end();
  return { longestHoldMs, mainHeldMs, cpuMs: (user + system) / 1000, latencyMs };
}

interface Scraped {
  readonly answer: RequestListener;
  readonly close: () => Promise<void>;
}

function startOffloop(): Scraped {
  const { pipeline, registry } = offloopPage(seriesCount);
  // The traffic was drained inline; now a thread takes over, as in an app.
  pipeline.configure({ engine: 'pool' }, ({ segment, recorder }) =>
    createEngine({ segment, recorder, mode: 'pool' }),
  );
  return {
    answer: (request, response) => {
      let leave = (): void => {};
      const page = new PageResponse(request, {
        response,
        contentType: TEXT_CONTENT_TYPE,
        leave: () => leave(),
      });
      // The families are asked for each time, as an endpoint does; who holds the registry keeps its metrics.
      const asked = { families: registry.familyIds(), includePipeline: false };
      leave = pipeline.stream(asked, {
        restart: () => page.restart(),
        fail: (error) => page.fail(error),
        write: (chunk) => {
          meter.mark();
          page.write(chunk);
        },
      });
    },
    close: () => pipeline.close(),
  };
}

function startProm(): Scraped {
  const registry = promPage(seriesCount);
  return {
    answer: async (_request, response) => {
      response.setHeader('Content-Type', registry.contentType);
      response.end(await registry.metrics());
    },
    close: async () => {},
  };
}
