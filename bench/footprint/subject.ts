// What a library takes of memory: `node --expose-gc subject.js <subject> <requests a series> <ms to settle>`.
import { readFileSync } from 'node:fs';
import { seededRandom } from '../harness/seeded-random.js';

/** What the process tells its parent: resident memory above that of the bare process, bytes. */
export interface Footprint {
  /** Until the library was imported. */
  readonly importMs: number;
  readonly importedBytes: number;
  readonly startedBytes: number;
  readonly usedBytes: number;
  /** Of the segment; `undefined` without one, or where the system does not tell. */
  readonly segmentResidentBytes: number | undefined;
  readonly segmentBytes: number | undefined;
}

const ROUTE_COUNT = 50;
const STATUS_CODES = ['200', '201', '404', '500'];
/** Page rounding and the allocator's own words. */
const MAPPING_SLACK_BYTES = 65_536;

type Request = (
  labels: { method: string; route: string; status_code: string },
  seconds: number,
) => void;

const subject = process.argv[2] ?? '';
const requestsPerSeries = Number(process.argv[3]);
/** For a pool's thread to come up and settle. */
const settleMs = Number(process.argv[4]);
const bareBytes = await settledRss();
const started = subject.startsWith('offloop') ? await startOffloop() : await startProm();
await serve(started.request, started.flush);
const usedBytes = (await settledRss()) - bareBytes;
const { importMs, importedBytes, startedBytes, segmentBytes } = started;
const footprint: Footprint = {
  importMs,
  importedBytes,
  startedBytes,
  usedBytes,
  segmentBytes,
  segmentResidentBytes: segmentBytes === undefined ? undefined : residentBytes(segmentBytes),
};
process.send?.(footprint);
await started.close();
process.disconnect();

interface Started {
  readonly importMs: number;
  readonly importedBytes: number;
  readonly startedBytes: number;
  readonly segmentBytes: number | undefined;
  readonly request: Request;
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

async function startOffloop(): Promise<Started> {
  const beganMs = performance.now();
  const { Pipeline, Registry, createEngine } = await import('@offloop/express');
  const importMs = performance.now() - beganMs;
  // It is there already: the packages are made of it.
  const { HttpMetrics } = await import('@offloop/core/adapter');
  const importedBytes = (await settledRss()) - bareBytes;
  const mode = subject === 'offloop pool' ? 'pool' : 'inline';
  const pipeline = new Pipeline();
  pipeline.configure({ engine: mode }, ({ segment, recorder }) =>
    createEngine({ segment, recorder, mode }),
  );
  const metrics = new HttpMetrics(pipeline, new Registry(pipeline));
  await pipeline.flush();
  return {
    importMs,
    importedBytes,
    startedBytes: (await settledRss()) - bareBytes,
    segmentBytes: pipeline.producer.segment.buffer.byteLength,
    request: ({ method, route, status_code }, seconds) =>
      metrics.record(metrics.seriesIdOf(method, route, status_code), seconds),
    flush: () => pipeline.flush(),
    close: () => pipeline.close(),
  };
}

async function startProm(): Promise<Started> {
  const beganMs = performance.now();
  const { default: prom } = await import('prom-client');
  const importMs = performance.now() - beganMs;
  const importedBytes = (await settledRss()) - bareBytes;
  const config = { help: 'All.', labelNames: ['method', 'route', 'status_code'] };
  const counter = new prom.Counter({ ...config, name: 'http_requests_total' });
  const histogram = new prom.Histogram({ ...config, name: 'http_request_duration_seconds' });
  return {
    importMs,
    importedBytes,
    startedBytes: (await settledRss()) - bareBytes,
    segmentBytes: undefined,
    request: (labels, seconds) => {
      counter.inc(labels);
      histogram.observe(labels, seconds);
    },
    flush: async () => {},
    close: async () => {},
  };
}

async function serve(request: Request, flush: () => Promise<void>): Promise<void> {
  const random = seededRandom(1);
  for (let round = 0; round < requestsPerSeries; round++) {
    for (let route = 0; route < ROUTE_COUNT; route++) {
      for (const status_code of STATUS_CODES) {
        request({ method: 'GET', route: `/api/resource-${route}/:id`, status_code }, random());
      }
    }
    // A loop without a pause is no traffic: it would fill the ring before a thread can look.
    await flush();
  }
}

async function settledRss(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

/** What the system says of the mapping that holds the segment: a large buffer has one of its own, of its size. */
function residentBytes(bytes: number): number | undefined {
  let mappings: string[];
  try {
    mappings = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  } catch {
    return undefined;
  }
  for (const mapping of mappings) {
    const size = kibibytes(mapping, 'Size');
    if (size >= bytes && size < bytes + MAPPING_SLACK_BYTES) return kibibytes(mapping, 'Rss');
  }
  return undefined;
}

function kibibytes(mapping: string, field: string): number {
  return (
    1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(mapping)?.[1] ?? Number.NaN)
  );
}
