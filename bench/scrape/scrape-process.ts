// Scrapes one subject: `node scrape-process.js <subject> <series> <scrapes>`.
import { createEngine } from '@offloop/express';
import { offloopPage, promPage } from '../core/exposition/page.js';
import { median } from '../harness/statistics.js';

/** What the process tells its parent, a scrape. */
export interface ScrapeCost {
  /** Time in which the main thread could do nothing else, in all. */
  readonly mainHeldMs: number;
  /** The longest such time without a break: how late another request's turn may come. */
  readonly longestHoldMs: number;
  /** CPU time of all threads. */
  readonly cpuMs: number;
  /** From the request to the page's bytes on the main thread. */
  readonly latencyMs: number;
  /** Largest resident memory of the process, with its metrics and after all scrapes. */
  readonly peakRssBytes: number;
}

const WARM_UP_SCRAPES = 3;

const [, , subject = '', series = '0', scrapes = '0'] = process.argv;
const seriesCount = Number(series);
const { scrape, close } = subject === 'offloop' ? startOffloop() : startProm();

const costs: Omit<ScrapeCost, 'peakRssBytes' | 'longestHoldMs'>[] = [];
const holdsMs: number[] = [];
for (let count = 0; count < WARM_UP_SCRAPES + Number(scrapes); count++) {
  const cost = await measureScrape();
  if (count >= WARM_UP_SCRAPES) costs.push(cost);
}
// Separately, as a loop that turns all the time is never idle.
for (let count = 0; count < Number(scrapes); count++) holdsMs.push(await measureLongestHold());
const result: ScrapeCost = {
  longestHoldMs: median(holdsMs),
  mainHeldMs: median(costs.map(({ mainHeldMs }) => mainHeldMs)),
  cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
  latencyMs: median(costs.map(({ latencyMs }) => latencyMs)),
  peakRssBytes: process.resourceUsage().maxRSS * 1024,
};
process.send?.(result);
await close();
process.disconnect();

async function measureScrape(): Promise<Omit<ScrapeCost, 'peakRssBytes' | 'longestHoldMs'>> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const startedMs = performance.now();
  const utilization = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  const bytes = await scrape();
  const latencyMs = performance.now() - startedMs;
  const mainHeldMs = performance.eventLoopUtilization(utilization).active;
  const { user, system } = process.cpuUsage(cpu);
  // A header of two lines, and of each series 12 buckets, sum and count.
  const leastBytes = seriesCount * 14 * 'request_seconds_sum{} 1\n'.length;
  if (bytes < leastBytes) throw new Error(`a page of ${bytes} bytes`);
  return { mainHeldMs, cpuMs: (user + system) / 1000, latencyMs };
}

/** The largest gap between two turns of a loop that has nothing else to do. */
async function measureLongestHold(): Promise<number> {
  let isOver = false;
  let longestMs = 0;
  let lastMs = performance.now();
  const turn = (): void => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await new Promise((resolve) => setTimeout(resolve, 5));
  longestMs = 0;
  await scrape();
  await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  return longestMs;
}

interface Scraped {
  /** @returns Bytes of the page. */
  readonly scrape: () => Promise<number>;
  readonly close: () => Promise<void>;
}

function startOffloop(): Scraped {
  const { pipeline, registry } = offloopPage(seriesCount);
  // The traffic was drained inline; now a thread takes over, as in an app.
  pipeline.configure({ engine: 'pool' }, ({ segment, recorder }) =>
    createEngine({ segment, recorder, mode: 'pool' }),
  );
  return {
    // The families are asked for each time, as an endpoint does; who holds the registry keeps its metrics.
    scrape: async () => {
      const request = { families: registry.familyIds(), includePipeline: false };
      return (await pipeline.render(request)).bytes.byteLength;
    },
    close: () => pipeline.close(),
  };
}

function startProm(): Scraped {
  const registry = promPage(seriesCount);
  return {
    // The bytes are what goes out, so making them of the text belongs to the scrape.
    scrape: async () => Buffer.from(await registry.metrics()).byteLength,
    close: async () => {},
  };
}
