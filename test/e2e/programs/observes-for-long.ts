// Fifty million observations over 200 routes with default options: what becomes of the process's memory, as one line of JSON.
import { readFileSync } from 'node:fs';
import { Pipeline, Registry } from '@offloop/core';
import { HttpMetrics, SnapshotReader } from '@offloop/core/adapter';

/** What the program prints, bytes. */
export interface LongRun {
  readonly observations: number;
  /** Resident memory of the process as the observations went on, the first after a tenth of them. */
  readonly residentBytes: readonly number[];
  readonly segmentBytes: number;
  /** Of the segment; `undefined` where the system does not tell. */
  readonly segmentResidentBytes: number | undefined;
}

const OBSERVATIONS = 50_000_000;
const ROUTES = 200;
const LOOKS = 10;
/** Less than the ring holds. */
const OBSERVATIONS_PER_FLUSH = 32_000;
/** Between two flushes: the window turns some thirty times. */
const STEP_MS = 1_000;
/** Page rounding and the allocator's own words. */
const MAPPING_SLACK_BYTES = 65_536;

const pipeline = new Pipeline();
pipeline.configure({ engine: 'inline' });
const http = new HttpMetrics(pipeline, new Registry(pipeline));
const { segment } = pipeline.producer;
const reader = new SnapshotReader(segment);
const series = Array.from({ length: ROUTES }, (_, route) =>
  http.seriesIdOf('GET', `/routes/${route}/:id`, '200'),
);
// Drawn beforehand, as the numbers themselves would be garbage: five octaves around 30 ms, and one in a thousand far out.
const seconds = Float64Array.from({ length: 8_191 }, (_, index) =>
  index % 1_000 === 0 ? 10 : 0.006 * 32 ** ((index % 997) / 997),
);
let nowMs = performance.now();
const residentBytes: number[] = [];
let observations = 0;
for (let look = 1; look <= LOOKS; look++) {
  while (observations < (OBSERVATIONS * look) / LOOKS) {
    for (let count = 0; count < OBSERVATIONS_PER_FLUSH; count++, observations++) {
      const id = series[observations % ROUTES] as number;
      http.record(id, seconds[observations % seconds.length] as number, nowMs);
    }
    await pipeline.flush();
    nowMs += STEP_MS;
  }
  reader.read({ isLagMonitored: false });
  globalThis.gc?.();
  residentBytes.push(process.memoryUsage.rss());
}
const { pipeline: books } = reader.read({ isLagMonitored: false });
const run: LongRun = {
  observations: books.aggregatedRecords,
  residentBytes,
  segmentBytes: segment.buffer.byteLength,
  segmentResidentBytes: residentBytesOf(segment.buffer.byteLength),
};
console.log(JSON.stringify(run));
await pipeline.close();

/** What the system says of the mapping that holds the segment: a large buffer has one of its own, of its size. */
function residentBytesOf(bytes: number): number | undefined {
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
