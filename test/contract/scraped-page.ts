import {
  type Engine,
  type ExpositionRequest,
  type Page,
  PageCollector,
} from '@offloop/core/engine';
import { expect } from 'chai';
import { type TestSegment, VALUES } from './test-segment.js';

/** Samples of a page by name and labels, as the page writes them. */
export type Samples = ReadonlyMap<string, number>;

/** Scrapes everything that a test segment has, the pipeline's own families included. */
export async function scrape(engine: Engine, { families }: TestSegment): Promise<Samples> {
  return samplesOf(await renderWhole(engine, { families, includePipeline: true }));
}

/** An engine's page, put together. */
export function renderWhole(engine: Engine, request: ExpositionRequest): Promise<Page> {
  const collector = new PageCollector();
  const { signal } = new AbortController();
  engine.stream(request, collector, signal).catch((error: unknown) => collector.fail(error));
  return collector.page;
}

function samplesOf({ bytes }: Page): Samples {
  const samples = new Map<string, number>();
  for (const line of Buffer.from(bytes).toString('utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return samples;
}

/** Checks that `_count`, the `+Inf` bucket and the counter of observations agree, and that buckets are cumulative. */
export function expectUntorn(samples: Samples): void {
  for (const [name, count] of samples) {
    const match = name.match(/^(.+)_count(\{(.+)\})?$/);
    if (match === null) continue;
    const [, family, , labels] = match;
    const rest = labels === undefined ? '' : `,${labels}`;
    if (family === 'test_summed') {
      expectQuantiles(samples, `${family}{quantile=`, rest);
      continue;
    }
    expect(samples.get(`${family}_bucket{le="+Inf"${rest}}`), `+Inf of ${name}`).to.equal(count);
    if (family === 'test_sketched') {
      expect(samples.get(`test_seen_total{${labels}}`), `test_seen of ${name}`).to.equal(count);
    }
  }
  let before = { series: '', cumulative: 0 };
  for (const [name, cumulative] of samples) {
    const series = name.match(/_bucket\{le="[^"]+"(.*)\}$/)?.[1];
    if (series === undefined) continue;
    if (series === before.series && !name.includes('le="0.015625"')) {
      expect(cumulative, `${name}, after a smaller bound`).to.be.at.least(before.cumulative);
    }
    before = { series, cumulative };
  }
}

/** Checks that a summary's quantiles lie among the values that were recorded, or are not numbers when there was none. */
function expectQuantiles(samples: Samples, name: string, rest: string): void {
  const [half, most] = ['"0.5"', '"0.99"'].map((q) => samples.get(`${name}${q}${rest}}`));
  const count = samples.get(`test_summed_count{${rest.slice(1)}}`);
  if (count === 0) {
    expect([half, most]).to.deep.equal([Number.NaN, Number.NaN]);
    return;
  }
  expect(half, rest).to.be.within((VALUES[0] as number) * 0.97, most as number);
  expect(most, rest).to.be.at.most((VALUES.at(-1) as number) * 1.03);
}

/** Checks that no counter, bucket, count or sum is below what an earlier page said. */
export function expectNothingFell(earlier: Samples, later: Samples): void {
  for (const [name, value] of earlier) {
    if (!/(_total|_bucket|_count|_sum)(\{|$)/.test(name)) continue;
    expect(later.get(name), `${name}, after ${value} before`).to.be.at.least(value);
  }
}

/** Checks the page's own books: its histograms and its accounting are of the same batch. */
export function expectBalancedPage(samples: Samples): void {
  const of = (name: string) => samples.get(`offloop_${name}`) as number;
  expect(of('records_recorded_total') + of('records_dropped_total'), 'offered').to.equal(
    of('records_offered_total'),
  );
  expect(of('records_aggregated_total') + of('backlog_records'), 'recorded').to.equal(
    of('records_recorded_total'),
  );
}
