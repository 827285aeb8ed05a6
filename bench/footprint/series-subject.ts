// What series take of memory: `node --expose-gc series-subject.js <subject> <series> <ms to settle>`.
import {
  createLabelSets,
  createTraffic,
  type HttpLabels,
  LABEL_NAMES,
} from '../harness/traffic.js';

/** What the process tells its parent, in bytes above the same process before it had them. */
export interface SeriesFootprint {
  /** Resident memory, all threads and shared memory included, once each series was observed. */
  readonly observedBytes: number;
  /** The same at rest after pages were scraped. */
  readonly scrapedBytes: number;
  /** The main thread's heap and what hangs on it. */
  readonly heapBytes: number;
}

const CONFIG = { name: 'request_seconds', help: 'Duration.', labelNames: [...LABEL_NAMES] };
/** A flush between as many observations, or the ring would be full. */
const OBSERVATIONS_PER_FLUSH = 16_384;
const OBSERVATIONS_PER_SERIES = 4;
const SCRAPES = 5;
/** The first collections leave what the next can free. */
const COLLECTIONS = 3;
/** Those that are there before are a fifth of those that come: what is compiled, and grows once, is no series'. */
const EARLIER_SHARE = 1 / 5;
const EARLIER_OBSERVATIONS = 200_000;

const [, , subject = '', series = '0', settle = '0'] = process.argv;
const addedCount = Number(series);
const earlierCount = addedCount * EARLIER_SHARE;
const seriesCount = earlierCount + addedCount;
const settleMs = Number(settle);
const { observe, flush, scrape, close } = subject.startsWith('offloop')
  ? await startOffloop()
  : await startProm();
const labelSets = createLabelSets(seriesCount);
const { values } = createTraffic(1);
await observeSeries(earlierCount, EARLIER_OBSERVATIONS);
for (let count = 0; count < SCRAPES; count++) await scrape();
const before = await settledMemory();
await observeSeries(seriesCount, OBSERVATIONS_PER_SERIES * seriesCount);
const observed = await settledMemory();
for (let count = 0; count < SCRAPES; count++) await scrape();
const scraped = await settledMemory();
const footprint: SeriesFootprint = {
  observedBytes: observed.rss - before.rss,
  scrapedBytes: scraped.rss - before.rss,
  heapBytes: scraped.heap - before.heap,
};
process.send?.(footprint);
await close();
process.disconnect();

async function observeSeries(count: number, observations: number): Promise<void> {
  for (let index = 0; index < observations; index++) {
    observe(labelSets[index % count] as HttpLabels, values[index % values.length] as number);
    if (index % OBSERVATIONS_PER_FLUSH === 0) await flush();
  }
  await flush();
}

interface Started {
  readonly observe: (labels: HttpLabels, value: number) => void;
  readonly flush: () => Promise<void>;
  readonly scrape: () => Promise<void>;
  readonly close: () => Promise<void>;
}

async function startOffloop(): Promise<Started> {
  const { Pipeline, Registry, Histogram, createEngine } = await import('@offloop/express');
  const mode = subject === 'offloop pool' ? 'pool' : 'inline';
  const pipeline = new Pipeline();
  const options = {
    engine: mode,
    maxSeriesPerMetric: seriesCount,
    memory: { maxSeries: seriesCount + 16, catalogBytes: 65_536 + seriesCount * 128 },
  } as const;
  pipeline.configure(options, ({ segment, recorder }) => createEngine({ segment, recorder, mode }));
  const registry = new Registry(pipeline);
  const histogram = new Histogram({ ...CONFIG, registers: [registry] });
  return {
    observe: (labels, value) => histogram.observe(labels, value),
    flush: () => pipeline.flush(),
    scrape: () =>
      new Promise((resolve, reject) => {
        const request = { families: registry.familyIds(), includePipeline: false };
        // The bytes go no further: what the socket does with them is the same for all.
        pipeline.stream(request, {
          write: ({ isLast, release }) => {
            release();
            if (isLast) resolve();
          },
          restart: () => true,
          fail: reject,
        });
      }),
    close: () => pipeline.close(),
  };
}

async function startProm(): Promise<Started> {
  const { default: prom } = await import('prom-client');
  const registry = new prom.Registry();
  const histogram = new prom.Histogram({ ...CONFIG, registers: [registry] });
  return {
    observe: (labels, value) => histogram.observe(labels as object, value),
    flush: async () => {},
    scrape: async () => void Buffer.from(await registry.metrics()),
    close: async () => {},
  };
}

async function settledMemory(): Promise<{ readonly rss: number; readonly heap: number }> {
  for (let count = 0; count < COLLECTIONS; count++) {
    await new Promise((resolve) => setTimeout(resolve, settleMs / COLLECTIONS));
    globalThis.gc?.();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}
