import { type MetricValue, Pipeline, Registry, Summary } from '@offloop/core';
import { expect } from 'chai';
import prom from 'prom-client';
import { FakeClock } from '../../support/fake-clock.js';
import { PipelineRig } from '../pipeline-rig.js';
import { refusalOf } from '../refusal.js';

const S = { name: 'delay_seconds', help: 'Delays.' };

/** Width of a bucket, as a factor. */
const BUCKET = 2 ** (1 / 32);

/** What both libraries are asked for, without their label types. */
interface EitherSummary {
  observe(...args: readonly unknown[]): void;
  labels(...args: readonly unknown[]): { observe(value: number): void; startTimer(): () => number };
  startTimer(labels?: object): (labels?: object) => number;
  remove(...args: readonly unknown[]): void;
}

interface Side {
  summary(config?: object): EitherSummary;
  readonly registry: Registry | prom.Registry;
}

function sides(): readonly [Side, Side] {
  const pipeline = new Pipeline();
  pipeline.configure({ ring: { capacityRecords: 4096 } });
  const registry = new Registry(pipeline);
  const theirs = new prom.Registry();
  return [
    {
      summary: (config) =>
        new Summary({ ...S, ...config, registers: [registry] }) as unknown as EitherSummary,
      registry,
    },
    {
      summary: (config) =>
        new prom.Summary({ ...S, ...config, registers: [theirs] }) as unknown as EitherSummary,
      registry: theirs,
    },
  ];
}

/** Each is played on both sides. A series observes one value only, as its quantiles are then the same whoever estimates them. */
const scenarios: Record<string, (side: Side) => void> = {
  'without labels': (side) => {
    const summary = side.summary();
    for (let count = 0; count < 5; count++) summary.observe(0.25);
    summary.observe({}, 0.25);
    summary.observe(undefined, 0.25);
    summary.labels().observe(0.25);
    summary.labels({}).observe(0.25);
  },
  'with labels, and with labels left out': (side) => {
    const summary = side.summary({ labelNames: ['a', 'b'] });
    summary.observe({ a: 'x', b: '1' }, 3);
    summary.labels('x', '1').observe(3);
    summary.observe({ b: '1' }, 400);
    summary.labels({ b: '1' }).observe(400);
    summary.observe(5e-4);
  },
  'with labels, never touched': (side) => void side.summary({ labelNames: ['a'] }),
  'with default labels, one of which a series has itself': (side) => {
    side.registry.setDefaultLabels({ app: 'z', a: 'default' });
    const summary = side.summary({ labelNames: ['a', 'b'] });
    summary.observe({ a: 'own', b: 'x' }, 1.5);
    summary.observe({ b: 'y' }, 1.5);
  },
  'with percentiles of its own, in its own order': (side) =>
    side.summary({ percentiles: [1, 0, 0.5, 0.25] }).observe(7),
  'without percentiles': (side) => side.summary({ percentiles: [] }).observe(7),
  'with a removed series': (side) => {
    const summary = side.summary({ labelNames: ['a'] });
    summary.observe({ a: 'x' }, 1);
    summary.observe({ a: 'y' }, 2);
    summary.remove('x');
    summary.remove({ a: 'y' });
    summary.observe({ a: 'y' }, 8);
  },
  'of large values': (side) => {
    const summary = side.summary({ labelNames: ['n'] });
    for (const value of [1, 1e3, 1e9, 1e15]) summary.observe({ n: `n${value}` }, value);
  },
};

describe('a summary beside prom-client 15.1.3', () => {
  for (const [name, play] of Object.entries(scenarios)) {
    it(`gives the same page but for the quantiles’ last digits: ${name}`, async () => {
      const [ours, theirs] = sides();
      play(ours);
      play(theirs);
      const quantiles: number[][] = [];
      const [page, expected] = await Promise.all(
        [ours, theirs].map(async ({ registry }) => {
          const values: number[] = [];
          quantiles.push(values);
          return (await registry.metrics()).replaceAll(
            /(quantile="[^"]+".*}) (\S+)/g,
            (_, a, b) => {
              values.push(Number(b));
              return a as string;
            },
          );
        }),
      );
      expect(page).to.equal(expected);
      const [found = [], wanted = []] = quantiles;
      expect(found).to.have.length(wanted.length);
      for (const [index, value] of found.entries())
        expect(value / (wanted[index] as number)).to.be.within(1 / BUCKET, BUCKET);
    });

    it(`gives the same JSON but for the quantiles’ last digits: ${name}`, async () => {
      const [ours, theirs] = sides();
      play(ours);
      play(theirs);
      const [found, wanted] = await Promise.all(
        [ours, theirs].map(async ({ registry }) => registry.getMetricsAsJSON()),
      );
      const coarse = (json: unknown) =>
        (json as { values: MetricValue[] }[]).map((metric) => ({
          ...metric,
          values: metric.values.map((sample) =>
            'quantile' in sample.labels ? { ...sample, value: undefined } : sample,
          ),
        }));
      expect(coarse(found)).to.deep.equal(coarse(wanted));
    });
  }

  it('times in seconds, and returns what it observed', async () => {
    for (const side of sides()) {
      const summary = side.summary({ labelNames: ['a', 'b'] });
      const seconds = summary.startTimer({ a: '1' })({ b: '2' });
      expect(seconds).to.be.within(0, 1);
      summary.labels('x', 'y').startTimer()();
      const page = await side.registry.metrics();
      expect(page).to.include(`delay_seconds_sum{a="1",b="2"} ${seconds}\n`);
      expect(page).to.include('delay_seconds_count{a="x",b="y"} 1\n');
    }
  });

  const refusals: Record<string, (side: Side) => unknown> = {
    'the label quantile': (side) => side.summary({ labelNames: ['a', 'quantile'] }),
    NaN: (side) => side.summary().observe({}, Number.NaN),
    'an infinite observation': (side) => side.summary().observe(Number.POSITIVE_INFINITY),
    'labels without a value': (side) => side.summary({ labelNames: ['a'] }).observe({ a: 'x' }),
    'NaN, by a child': (side) => side.summary().labels().observe(Number.NaN),
    'an unknown label': (side) => side.summary({ labelNames: ['a'] }).observe({ c: 'x' }, 1),
    'too few label values': (side) => side.summary({ labelNames: ['a', 'b'] }).labels('x'),
    'an unknown label to remove': (side) => side.summary({ labelNames: ['a'] }).remove({ c: 'x' }),
  };
  for (const [name, play] of Object.entries(refusals)) {
    it(`refuses with the same text: ${name}`, () => {
      const [ours, theirs] = sides().map((side) => {
        try {
          play(side);
        } catch (error) {
          return error as Error;
        }
        throw new Error('nothing was thrown');
      });
      expect(ours?.message).to.equal(theirs?.message);
      expect(ours instanceof TypeError).to.equal(theirs instanceof TypeError);
    });
  }
});

describe('a summary', () => {
  const rigWith = (config: Partial<ConstructorParameters<typeof Summary>[0]> = {}) => {
    const rig = new PipelineRig();
    return { rig, summary: new Summary({ ...S, ...config, registers: [rig.registry] }) };
  };

  it('without observations shows NaN and not 0, beside a sum and a count of 0', async () => {
    const { rig, summary } = rigWith({ percentiles: [0.5, 0.99] });
    const lines = [
      '# HELP delay_seconds Delays.',
      '# TYPE delay_seconds summary',
      'delay_seconds{quantile="0.5"} NaN',
      'delay_seconds{quantile="0.99"} NaN',
      'delay_seconds_sum 0',
      'delay_seconds_count 0\n',
    ];
    expect(await rig.registry.metrics()).to.equal(lines.join('\n'));
    expect((await summary.get()).values.map(({ value }) => value)).to.deep.equal([
      Number.NaN,
      Number.NaN,
      0,
      0,
    ]);
    summary.observe(3);
    summary.reset();
    expect(await rig.registry.metrics()).to.equal(lines.join('\n'));
  });

  it('has exact quantiles where all observations are the same, as those of tests are', async () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    const summary = new Summary({ name: 's', help: 'h', labelNames: ['a'], registers });
    for (const value of [100, 0.3, -7, 1e300, 0]) {
      summary.observe({ a: value }, value);
      summary.observe({ a: `${value} twice` }, value);
      summary.observe({ a: `${value} twice` }, value);
    }
    const { values } = await summary.get();
    for (const { labels, value } of values.filter((one) => 'quantile' in one.labels)) {
      expect(value, JSON.stringify(labels)).to.equal(Number.parseFloat(String(labels.a)));
    }
    expect(await rig.registry.metrics()).to.include('s{quantile="0.5",a="100"} 100\n');
    const huge = new Summary({ name: 'huge', help: 'h', percentiles: [0.5], registers });
    huge.observe(1.7e308);
    huge.observe(1.7e308);
    expect((await huge.get()).values[0]?.value).to.be.finite;
  });

  it('includes an observation in the get() right after it', async () => {
    const { summary } = rigWith({ percentiles: [0.5] });
    summary.observe(-2);
    const [half, sum, count] = (await summary.get()).values;
    expect(half?.value).to.be.closeTo(-2, 0.05);
    expect(sum).to.deep.equal({ metricName: 'delay_seconds_sum', labels: {}, value: -2 });
    expect(count).to.deep.equal({ metricName: 'delay_seconds_count', labels: {}, value: 1 });
  });

  it('begins a removed series again, for a child as well', async () => {
    const { rig, summary } = rigWith({ labelNames: ['a'], percentiles: [] });
    const child = summary.labels('x');
    child.observe(1);
    summary.remove('x');
    expect(await rig.registry.metrics()).to.not.include('_count');
    child.observe(5);
    expect(await rig.registry.metrics()).to.include('delay_seconds_sum{a="x"} 5\n');
  });

  it('leaves a default label of the name quantile out, as one name twice loses the scrape', async () => {
    const { rig, summary } = rigWith({ percentiles: [0.5] });
    rig.registry.setDefaultLabels({ quantile: 'x', app: 'z' });
    summary.observe(0);
    expect(await rig.registry.metrics()).to.include(
      'delay_seconds{quantile="0.5",app="z"} 0\ndelay_seconds_sum{app="z"} 0\n',
    );
  });

  it('is gone when nobody has observed for its time, and not before', async () => {
    const { rig, summary } = rigWith({ labelNames: ['a'], percentiles: [], maxIdleSeconds: 0.08 });
    summary.observe({ a: 'idle' }, 0);
    const untilGone = async () => {
      for (;;) {
        // Zeros change no sum, and are signs of life.
        summary.observe({ a: 'busy' }, 0);
        const page = await rig.registry.metrics();
        expect(page).to.include('a="busy"');
        if (!page.includes('a="idle"')) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await untilGone();
  });

  it('goes on under getOrCreate(), and refuses other percentiles', () => {
    const rig = new PipelineRig();
    const registers = [rig.registry];
    const first = Summary.getOrCreate({ ...S, registers });
    expect(Summary.getOrCreate({ ...S, registers })).to.equal(first);
    expect(
      refusalOf('OFFLOOP_ERR_DUPLICATE_METRIC', () =>
        Summary.getOrCreate({ ...S, percentiles: [0.5], registers }),
      ),
    ).to.include('another percentiles: [0.01, 0.05, ');
  });

  for (const [percentiles, rule] of [
    [[0.5, 1.1], 'percentiles must be numbers in [0, 1], got [0.5, 1.1]'],
    [[-0.1], 'percentiles must be numbers in [0, 1], got [-0.1]'],
    [[Number.NaN], 'percentiles must be numbers in [0, 1], got [NaN]'],
    [['0.5'], 'percentiles must be numbers in [0, 1], got ["0.5"]'],
    [[0.5, 0.9, 0.5], 'percentiles must be different from one another, got [0.5, 0.9, 0.5]'],
    [[0, -0], 'percentiles must be different from one another, got [0, 0]'],
    [0.5, 'percentiles must be an array of at most 512 numbers, got 0.5'],
  ] as const) {
    it(`refuses percentiles of ${JSON.stringify(percentiles)}`, () => {
      const config = { percentiles: percentiles as readonly number[] };
      expect(refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => rigWith(config))).to.equal(rule);
    });
  }

  for (const [config, message] of [
    [{ maxAgeSeconds: 0 }, 'maxAgeSeconds must be a finite number of at least 0.5, got 0'],
    [{ maxAgeSeconds: 0.4 }, 'maxAgeSeconds must be a finite number of at least 0.5, got 0.4'],
    [
      { maxAgeSeconds: Number.POSITIVE_INFINITY },
      'maxAgeSeconds must be a finite number of at least 0.5, got Infinity',
    ],
    [{ maxAgeSeconds: 60, ageBuckets: 0 }, 'ageBuckets must be a whole number in [1, 60], got 0'],
    [{ ageBuckets: 2.5 }, 'ageBuckets must be a whole number in [1, 60], got 2.5'],
  ] as const) {
    it(`refuses a window of ${JSON.stringify(config)}`, () => {
      expect(refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => rigWith(config))).to.equal(message);
    });
  }
});

describe('summary with a window', () => {
  const clock = new FakeClock();
  beforeEach(() => clock.install());
  afterEach(() => clock.uninstall());

  const WINDOW = { percentiles: [0.5], maxAgeSeconds: 10, ageBuckets: 5 };
  const summaryOf = (config: object = WINDOW) =>
    new Summary({ ...S, ...config, registers: [new PipelineRig().registry] });
  /** The median, the sum and the count, as get() has them. */
  const read = async (summary: Summary) => (await summary.get()).values.map(({ value }) => value);

  it('shows quantiles of the window, and the sum and count since the start', async () => {
    const summary = summaryOf();
    for (let count = 0; count < 10; count++) summary.observe(100);
    clock.nowMs = 9_999;
    summary.observe(-7);
    let [median, sum, count] = await read(summary);
    expect(median).to.be.within(100 / BUCKET, 100 * BUCKET);
    expect([sum, count]).to.deep.equal([993, 11]);
    // The first of five slices leaves.
    clock.nowMs = 10_000;
    [median, sum, count] = await read(summary);
    expect(median).to.be.within(-7 * BUCKET, -7 / BUCKET);
    expect([sum, count]).to.deep.equal([993, 11]);
  });

  it('is exact where all of the window is the same, as those of tests are', async () => {
    const summary = summaryOf();
    for (const value of [3, 3, 1e300]) summary.observe(value);
    clock.nowMs = 30_000;
    summary.observe(100);
    summary.observe(100);
    // Beside what came before it, the sum of the window is lost: then the sketch answers.
    expect((await read(summary))[0]).to.be.within(100 / BUCKET, 100 * BUCKET);
    const ordinary = summaryOf();
    ordinary.observe(3);
    clock.nowMs = 60_000;
    ordinary.observe(100);
    ordinary.observe(100);
    expect((await read(ordinary))[0]).to.equal(100);
  });

  it('shows NaN, and never 0, when the window has seen nothing', async () => {
    const summary = summaryOf();
    summary.observe(1);
    clock.nowMs = 60_000;
    const [median, sum, count] = await read(summary);
    expect(median).to.be.NaN;
    expect([sum, count]).to.deep.equal([1, 1]);
    summary.observe(5);
    expect((await read(summary))[0]).to.be.within(5 / BUCKET, 5 * BUCKET);
  });

  it('keeps each slice apart, where one shared digest would show them all', async () => {
    const summary = summaryOf();
    for (const second of [0, 2, 4, 6, 8]) {
      clock.nowMs = second * 1_000;
      for (let count = 0; count < 100; count++) summary.observe(second + 1);
    }
    const medians: number[] = [];
    for (const second of [8, 10, 12, 14, 16]) {
      clock.nowMs = second * 1_000;
      medians.push(Math.round((await read(summary))[0] as number));
    }
    expect(medians).to.deep.equal([5, 5, 7, 7, 9]);
  });

  it('turns by its labels’ children as well', async () => {
    const summary = summaryOf({ ...WINDOW, labelNames: ['kind'] });
    const child = summary.labels('a');
    child.observe(3);
    clock.nowMs = 10_001;
    child.observe(8);
    expect((await read(summary))[0]).to.be.within(8 / BUCKET, 8 * BUCKET);
  });

  it('takes series out whose window has seen nothing, where it is asked to', async () => {
    const summary = summaryOf({ ...WINDOW, labelNames: ['kind'], pruneAgedBuckets: true });
    summary.observe({ kind: 'a' }, 1);
    await read(summary);
    clock.nowMs = 13_000;
    expect(await read(summary)).to.deep.equal([]);
  });

  it('changes nothing without a length', async () => {
    const summary = summaryOf({ percentiles: [0.5], ageBuckets: 5, compressCount: 5 });
    summary.observe(1);
    clock.nowMs = 3_600_000;
    expect((await read(summary))[0]).to.be.within(1 / BUCKET, BUCKET);
  });
});
