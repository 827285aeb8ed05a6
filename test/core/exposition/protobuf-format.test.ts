import { gunzipSync } from 'node:zlib';
import {
  type ExpositionFormat,
  Gauge,
  Info,
  PROTOBUF_CONTENT_TYPE,
  StateSet,
  Summary,
} from '@offloop/core';
import { chosenFamilies } from '@offloop/core/adapter';
import { ByteWriter } from '@offloop/core/internal/exposition/byte-writer.js';
import { type Capture, capture } from '@offloop/core/internal/exposition/capture.js';
import { PIPELINE_FAMILIES } from '@offloop/core/internal/exposition/pipeline-families.js';
import { writeProtobuf } from '@offloop/core/internal/exposition/protobuf-format.js';
import { renderPage } from '@offloop/core/internal/exposition/render.js';
import { BLOCK_COUNTS, BLOCK_SUM } from '@offloop/core/internal/layout/aggregates.js';
import { FamilyKind, SERIES_CREATED_MS } from '@offloop/core/internal/layout/catalog.js';
import { seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import { Segment } from '@offloop/core/internal/layout/segment.js';
import { writeLiveValue } from '@offloop/core/internal/record/live-value.js';
import { expect } from 'chai';
import { parseExposition } from '../../support/exposition-parser.js';
import {
  type DecodedFamily,
  type DecodedTimestamp,
  decodeFamilies,
  samplesOf,
} from '../../support/protobuf-decoder.js';
import { PipelineRig } from '../pipeline-rig.js';
import { SegmentRig } from '../segment-rig.js';

async function bytesOf(rig: PipelineRig, format: ExpositionFormat, includePipeline = false) {
  const families = rig.registry.familyIds();
  const { bytes } = await rig.pipeline.render({ families, includePipeline, format });
  return bytes;
}

async function familiesOf(rig: PipelineRig): Promise<DecodedFamily[]> {
  return decodeFamilies(await bytesOf(rig, 'protobuf'));
}

function familyOf(rig: SegmentRig, family: number): DecodedFamily {
  const { bytes } = renderPage(rig.segment, {
    families: [family],
    includePipeline: false,
    format: 'protobuf',
  });
  const [decoded, ...others] = decodeFamilies(bytes);
  expect(others).to.deep.equal([]);
  if (decoded === undefined) throw new Error('no family');
  return decoded;
}

function timeMsOf(timestamp: DecodedTimestamp | undefined): number | undefined {
  return timestamp && (timestamp.seconds ?? 0) * 1_000 + (timestamp.nanos ?? 0) / 1_000_000;
}

describe('protobuf format', () => {
  it('has the content type of delimited messages', () => {
    expect(PROTOBUF_CONTENT_TYPE).to.equal(
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    );
  });

  it('of an empty registry holds the pipeline’s own families, and nothing where those are not wanted', async () => {
    const rig = new PipelineRig();
    const families = decodeFamilies(await bytesOf(rig, 'protobuf', true));
    expect(
      families.map(({ name, help, type }) => ({ name, help, type: type?.toLowerCase() })),
    ).to.deep.equal(PIPELINE_FAMILIES.map(({ name, help, type }) => ({ name, help, type })));
    expect(families.map((family) => samplesOf(family).length)).to.deep.equal(
      PIPELINE_FAMILIES.map(({ label }) => label?.values.length ?? 1),
    );
    expect(await bytesOf(rig, 'protobuf')).to.have.length(0);
  });

  it('shows the pipeline’s own numbers as the text format does', async () => {
    const rig = new PipelineRig();
    rig.counter().inc(3);
    const text = parseExposition(Buffer.from(await bytesOf(rig, 'text', true)).toString());
    const page = decodeFamilies(await bytesOf(rig, 'protobuf', true));
    // One page later, one scrape more, and the time that took.
    const changing = ['offloop_scrapes_total', 'offloop_render_seconds_total'];
    const steady = (name: string | undefined) => !changing.includes(name ?? '');
    expect(page.filter(({ name }) => steady(name)).flatMap(samplesOf)).to.deep.equal(
      text.filter(({ name }) => steady(name)).flatMap(({ samples }) => [...samples]),
    );
    expect(page.find(({ name }) => name === changing[0])?.metric?.[0]?.counter?.value).to.equal(1);
  });

  it('leaves a family without a series out, which has nothing but a help', async () => {
    const rig = new PipelineRig();
    rig.counter({ labelNames: ['a'] });
    rig.counter({ name: 'other_total' });
    expect((await familiesOf(rig)).map(({ name }) => name)).to.deep.equal(['other_total']);
  });

  it('has counters, gauges, histograms and summaries under their types', async () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    rig.counter().inc(1.5);
    new Gauge({ name: 'level', help: 'A level.', registers }).set(-2);
    new Info({ name: 'build', help: 'A build.', labels: { version: '1"2' }, registers });
    new StateSet({ name: 'door', help: 'A door.', states: ['open', 'shut'], registers }).set(
      'shut',
    );
    rig.histogram({ buckets: [1, 2] }).observe(1.5);
    const percentiles = [0, 0.5, 0.99, 1];
    const summary = new Summary({
      name: 'sizes',
      help: 'Sizes.',
      labelNames: ['a'],
      percentiles,
      registers,
    });
    for (let value = -3; value < 100; value++) summary.observe({ a: 'x' }, value);
    summary.labels({ a: 'nothing yet' });
    const text = await rig.families();
    const families = await familiesOf(rig);
    expect(families.map(({ name, type }) => [name, type?.toLowerCase()])).to.deep.equal(
      text.map(({ name, type }) => [name, type]),
    );
    expect(families.flatMap(samplesOf)).to.deep.equal(await rig.samples());
  });

  it('has cumulative counts, and leaves the bucket of +Inf to the count', async () => {
    const rig = new PipelineRig();
    const histogram = rig.histogram({ buckets: [-1, 0, 0.25, 10] });
    for (const value of [-3, 0.1, 0.2, 5, 50, 60]) histogram.observe(value);
    const [family] = await familiesOf(rig);
    const { sample_count, sample_sum, bucket } = family?.metric?.[0]?.histogram ?? {};
    expect(sample_count).to.equal(6);
    expect(sample_sum).to.be.closeTo(112.3, 1e-9);
    expect(bucket).to.deep.equal([
      { cumulative_count: 1, upper_bound: -1 },
      { cumulative_count: 1, upper_bound: 0 },
      { cumulative_count: 3, upper_bound: 0.25 },
      { cumulative_count: 4, upper_bound: 10 },
    ]);
  });

  it('says of counters, histograms and summaries when each series began, to the millisecond', () => {
    const rig = new SegmentRig();
    const counter = rig.addFamily();
    const histogram = rig.addHistogram([1]);
    const summary = rig.addSummary();
    const times = [1, 999, 1_000, 1_700_000_000_123, 2 ** 41 + 7];
    const decoded = [counter, histogram, summary].map((family) => {
      for (const [index, time] of times.entries()) {
        const id = rig.addSeries(family, `i="${index}"`);
        rig.segment.seriesDoubles[id * 5 + SERIES_CREATED_MS / 2] = time;
      }
      return familyOf(rig, family).metric?.map(({ counter, histogram, summary }) =>
        timeMsOf((counter ?? histogram ?? summary)?.created_timestamp),
      );
    });
    expect(decoded).to.deep.equal([times, times, times]);
  });

  it('says nothing of a beginning before 1970, which only a wrong clock has', () => {
    const rig = new SegmentRig();
    const family = rig.addFamily();
    const series = rig.addSeries(family);
    for (const time of [0, -1, Number.NaN]) {
      rig.segment.seriesDoubles[series * 5 + SERIES_CREATED_MS / 2] = time;
      expect(familyOf(rig, family).metric?.[0]?.counter).to.deep.equal({ value: 0 });
    }
  });

  it('counts beyond 32 bits, to where doubles count exactly', () => {
    const rig = new SegmentRig();
    const family = rig.addHistogram([1, 2]);
    const block = seriesBlock(rig.segment, rig.addSeries(family));
    for (const count of [2 ** 31, 2 ** 32 + 1, 2 ** 40, 2 ** 52]) {
      rig.segment.aggregates[block + BLOCK_COUNTS] = count;
      rig.segment.aggregates[block + BLOCK_COUNTS + 1] = 3;
      const { histogram } = familyOf(rig, family).metric?.[0] ?? {};
      expect(histogram?.sample_count).to.equal(count + 3);
      expect(histogram?.bucket?.map(({ cumulative_count }) => cumulative_count)).to.deep.equal([
        count,
        count + 3,
      ]);
    }
  });

  it('shows every double as it is, as level, total and sum', () => {
    const rig = new SegmentRig();
    const gauge = rig.addFamily({ kind: FamilyKind.liveGauge });
    const counter = rig.addFamily();
    const histogram = rig.addHistogram([]);
    const live = seriesBlock(rig.segment, rig.addSeries(gauge));
    const total = seriesBlock(rig.segment, rig.addSeries(counter));
    const sum = seriesBlock(rig.segment, rig.addSeries(histogram)) + BLOCK_SUM;
    for (const value of [
      0,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.MIN_VALUE,
      Number.MAX_VALUE,
      2 ** 53,
      0.1,
    ]) {
      writeLiveValue(rig.segment, live, value);
      rig.segment.aggregates[total] = value;
      rig.segment.aggregates[sum] = value;
      expect(familyOf(rig, gauge).metric?.[0]?.gauge?.value).to.be.deep.equal(value);
      expect(familyOf(rig, counter).metric?.[0]?.counter?.value).to.be.deep.equal(value);
      expect(familyOf(rig, histogram).metric?.[0]?.histogram?.sample_sum).to.be.deep.equal(value);
    }
  });

  it('gives help texts and label values back as they went in', async () => {
    const rig = new PipelineRig();
    const text = 'a \\ b \n c \\n d " e \r f \0 g 🚀 \ud800';
    rig.counter({ help: text, labelNames: ['a', 'b'] }).inc({ a: text, b: '' });
    const [family] = await familiesOf(rig);
    expect(family?.help).to.equal(text.toWellFormed());
    expect(family?.metric?.[0]?.label).to.deep.equal([
      { name: 'a', value: text.toWellFormed() },
      { name: 'b', value: '' },
    ]);
  });

  it('adds default labels before a series’ own, which stay what they are', async () => {
    const rig = new PipelineRig();
    rig.counter({ labelNames: ['a', 'zone'] }).inc({ a: 'x', zone: 'own' });
    rig.histogram({ labelNames: ['b'], buckets: [1] }).observe({ b: 'y' }, 1);
    const defaultLabels = [
      ['zone', 'eu "1"\n'],
      ['le', 'never in a histogram'],
    ] as const;
    const families = rig.registry.familyIds();
    const { bytes } = await rig.pipeline.render({
      families,
      includePipeline: ['offloop_series'],
      format: 'protobuf',
      defaultLabels,
    });
    expect(
      decodeFamilies(bytes).map(({ metric }) =>
        metric?.[0]?.label?.map(({ name, value }) => [name, value]),
      ),
    ).to.deep.equal([
      [
        ['le', 'never in a histogram'],
        ['a', 'x'],
        ['zone', 'own'],
      ],
      [
        ['zone', 'eu "1"\n'],
        ['b', 'y'],
      ],
      undefined,
    ]);
  });

  it('shows exemplars of counters and buckets, and the bucket of +Inf for one', () => {
    const rig = new SegmentRig();
    const families = [rig.addFamily(), rig.addHistogram([1, 2], true)];
    for (const family of families) {
      for (const i of [0, 1]) rig.recorder.record(rig.addSeries(family, `i="${i}"`), 3);
    }
    rig.drainAll();
    const captured = capture(rig.segment, families, { sketches: true });
    const trace = { labels: [['trace_id', 'é"\n']], value: 0.5, timestampMs: 1_700_000_000_125 };
    const old = { labels: [], value: -0, timestampMs: Number.NaN };
    const exemplars = (series: number, bucket: number) => {
      if (series === 0) return undefined;
      return bucket === 1 ? old : { ...trace, labels: [...trace.labels, ['b', `${bucket}`]] };
    };
    const writer = new ByteWriter();
    const writing = writeProtobuf(
      writer,
      { ...captured, families: captured.families.map((one) => ({ ...one, exemplars })) } as Capture,
      [],
    );
    expect(writing.next().done).to.equal(true);
    const page = writer.take();
    const [counter, histogram] = decodeFamilies(page).map(({ metric = [] }) => metric);
    const expected = (bucket: number) => ({
      label: [
        { name: 'trace_id', value: 'é"\n' },
        { name: 'b', value: `${bucket}` },
      ],
      value: 0.5,
      timestamp: { seconds: 1_700_000_000, nanos: 125_000_000 },
    });
    expect(counter?.map(({ counter }) => counter?.exemplar)).to.deep.equal([
      undefined,
      expected(0),
    ]);
    expect(histogram?.map(({ histogram }) => histogram?.bucket)).to.deep.equal([
      [
        { cumulative_count: 0, upper_bound: 1 },
        { cumulative_count: 0, upper_bound: 2 },
      ],
      [
        { cumulative_count: 0, upper_bound: 1, exemplar: expected(0) },
        { cumulative_count: 0, upper_bound: 2, exemplar: { value: -0 } },
        {
          cumulative_count: 1,
          upper_bound: Number.POSITIVE_INFINITY,
          exemplar: expected(2),
        },
      ],
    ]);
    // What follows the buckets is where it was.
    for (const { histogram: { schema, positive_delta } = {} } of histogram ?? []) {
      expect({ schema, positive_delta }).to.deep.equal({ schema: 5, positive_delta: [1] });
    }
  });

  it('answers with a part of a page, and packed', async () => {
    const rig = new PipelineRig();
    rig.counter();
    rig.counter({ name: 'other_total' });
    const histogram = rig.histogram({ labelNames: ['a'] });
    for (let index = 0; index < 100; index++) histogram.observe({ a: `${index}` }, index);
    const request = {
      ...chosenFamilies(rig.registry, ['test_seconds_bucket', 'offloop_series', 'other_total']),
      format: 'protobuf',
    } as const;
    const { bytes } = await rig.pipeline.render(request);
    expect(decodeFamilies(bytes).map(({ name }) => name)).to.deep.equal([
      'other_total',
      'test_seconds',
      'offloop_series',
    ]);
    const packed = await rig.pipeline.render({ ...request, encoding: 'gzip' });
    expect(packed.encoding).to.equal('gzip');
    expect(gunzipSync(packed.bytes)).to.deep.equal(Buffer.from(bytes));
  });

  it('grows with its series beyond every buffer, and gives families of every size their length', async () => {
    const rig = new PipelineRig({ memory: { catalogBytes: 8 * 1024 * 1024 } });
    for (const [name, seriesCount, valueLength] of [
      ['small', 1, 1],
      ['middle', 20, 50],
      ['many', 1_500, 30],
      ['long', 2, 100_000],
    ] as const) {
      const histogram = rig.histogram({ name, labelNames: ['a'], buckets: [1] });
      for (let index = 0; index < seriesCount; index++) {
        histogram.observe({ a: `${index}${'x'.repeat(valueLength)}` }, index);
      }
    }
    const families = await familiesOf(rig);
    expect(families.flatMap(samplesOf)).to.deep.equal(await rig.samples());
  });

  it('renders the same page from another thread’s view of the segment', async () => {
    const rig = new PipelineRig();
    rig.histogram({ labelNames: ['a'] }).observe({ a: 'y"\\\n' }, 0.3);
    const here = await bytesOf(rig, 'protobuf');
    const { bytes } = renderPage(Segment.attach(rig.pipeline.producer.segment.buffer), {
      families: rig.registry.familyIds(),
      includePipeline: false,
      format: 'protobuf',
    });
    expect(Buffer.from(bytes)).to.deep.equal(Buffer.from(here));
  });
});
