import {
  Counter,
  type CounterConfiguration,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Pipeline,
  Registry,
} from '@offloop/core';
import { expect } from 'chai';
import * as prom from 'prom-client';

type Labels = Record<string, string | number>;
interface Observer {
  observe(value: number): void;
  startTimer(): () => number | undefined;
}

interface Level {
  set(...args: readonly unknown[]): unknown;
  inc(...args: readonly unknown[]): unknown;
  dec(...args: readonly unknown[]): unknown;
  setToCurrentTime(...args: readonly unknown[]): unknown;
}

/** What both libraries are asked for, without their label types. */
interface Side {
  counter(config: object): {
    inc(...args: readonly unknown[]): unknown;
    labels(...args: readonly unknown[]): { inc(value?: number): unknown };
    get(): Promise<unknown>;
  };
  gauge(config: object): Level & {
    labels(...args: readonly unknown[]): Level;
    startTimer(labels?: Labels): (labels?: Labels) => number | undefined;
  };
  histogram(config: object): {
    observe(...args: readonly unknown[]): unknown;
    labels(...args: readonly unknown[]): Observer;
    startTimer(labels?: Labels): (labels?: Labels) => number | undefined;
    get(): Promise<unknown>;
  };
  readonly registry: {
    metrics(): Promise<string>;
    getMetricsAsJSON(): Promise<unknown>;
    getSingleMetric(name: string): unknown;
    removeSingleMetric(name: string): void;
    clear(): void;
    readonly contentType: string;
  };
}

function offloopSide(): Side {
  const pipeline = new Pipeline();
  pipeline.configure({ ring: { capacityRecords: 4096 } });
  const registry = new Registry(pipeline);
  const registers = [registry];
  return {
    counter: (config) =>
      new Counter({ ...(config as CounterConfiguration<string>), registers }) as never,
    gauge: (config) => new Gauge({ ...(config as GaugeConfiguration<string>), registers }) as never,
    histogram: (config) =>
      new Histogram({ ...(config as HistogramConfiguration<string>), registers }) as never,
    registry,
  };
}

function promSide(): Side {
  const registry = new prom.Registry();
  const registers = [registry];
  return {
    counter: (config) =>
      new prom.Counter({ ...(config as prom.CounterConfiguration<string>), registers }) as never,
    gauge: (config) =>
      new prom.Gauge({ ...(config as prom.GaugeConfiguration<string>), registers }) as never,
    histogram: (config) =>
      new prom.Histogram({
        ...(config as prom.HistogramConfiguration<string>),
        registers,
      }) as never,
    registry,
  };
}

const C = { name: 'jobs_total', help: 'Jobs done.' };
const G = { name: 'depth', help: 'How deep.' };
const H = { name: 'size_bytes', help: 'Sizes.' };

/** Each is played on both sides, and both must give the same page. */
const scenarios: Record<string, (side: Side) => void> = {
  'a counter never touched': (side) => void side.counter(C),
  'a counter with labels never touched': (side) => void side.counter({ ...C, labelNames: ['a'] }),
  'a histogram never touched': (side) => void side.histogram(H),
  'a histogram with labels never touched': (side) =>
    void side.histogram({ ...H, labelNames: ['a'] }),
  'a counter without labels': (side) => {
    const counter = side.counter(C);
    counter.inc();
    counter.inc(2);
    counter.inc(0);
    counter.inc(undefined);
    counter.inc(null);
    counter.inc({});
    counter.inc({}, 5);
    counter.labels().inc();
    counter.labels({}).inc(4);
    counter.labels().inc(null as never);
  },
  'a counter with labels': (side) => {
    const counter = side.counter({ ...C, labelNames: ['method', 'route', 'status'] });
    counter.inc({ method: 'GET', route: '/', status: '200' });
    counter.inc({ method: 'GET', route: '/', status: 200 }, 3);
    counter.labels('GET', '/', '200').inc();
    counter.labels('GET', '/', 200).inc(10);
    counter.labels({ method: 'POST', route: '/', status: 500 }).inc();
    counter.inc({ method: 'GET', route: '/', status: '404' }, 0);
    counter.inc({ status: '200', route: '/', method: 'GET' });
  },
  'a counter with labels left out': (side) => {
    const counter = side.counter({ ...C, labelNames: ['a', 'b'] });
    counter.inc();
    counter.inc(3);
    counter.inc({});
    counter.inc({ a: 'x' });
    counter.inc({ b: 'x' }, 2);
    counter.labels({ b: 'x' }).inc();
  },
  'a gauge without labels': (side) => {
    const gauge = side.gauge(G);
    gauge.set(5);
    gauge.inc();
    gauge.inc(2.25);
    gauge.dec();
    gauge.dec(10);
    gauge.inc({});
    gauge.set({}, -0.5);
    gauge.labels().inc();
    gauge.labels({}).dec(3);
    gauge.inc(undefined);
  },
  'a gauge with labels': (side) => {
    side.gauge({ ...G, name: 'untouched', labelNames: ['a'] });
    const gauge = side.gauge({ ...G, labelNames: ['a', 'b'] });
    gauge.set({ a: 'x', b: 1 }, 1e21);
    gauge.inc({ a: 'x', b: '1' });
    gauge.labels('x', 2).set(-7);
    gauge.labels({ a: 'x', b: 2 }).inc(0.5);
    gauge.dec({ a: 'y' }, 2);
    gauge.dec({ a: 'y' });
    gauge.inc();
  },
  'gauges at the ends of the numbers': (side) => {
    const gauge = side.gauge({ ...G, labelNames: ['n'] });
    for (const value of [2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1e-7, -1e300, Infinity, -Infinity]) {
      gauge.set({ n: String(value) }, value);
    }
  },
  'numbers of every form': (side) => {
    const counter = side.counter({ ...C, labelNames: ['n'] });
    for (const value of [
      0,
      1,
      9,
      10,
      999_999_999,
      1_000_000_000,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      1e20,
      123456789012345680000,
      1e21,
      1.5e21,
      1e300,
      1e-6,
      1e-7,
      5e-324,
      0.1,
      1 / 3,
      1.1,
      100.25,
    ]) {
      counter.inc({ n: String(value) }, value);
    }
  },
  'sums that are rounded': (side) => {
    const counter = side.counter(C);
    for (let index = 0; index < 10; index++) counter.inc(0.1);
  },
  'a histogram of default buckets': (side) => {
    const histogram = side.histogram(H);
    for (const value of [0, 0.004, 0.005, 0.0050001, 0.3, 1, 9.99, 10, 10.1, 1e9, -1]) {
      histogram.observe(value);
    }
    histogram.observe({}, 0.2);
    histogram.observe(undefined, 0.2);
    histogram.labels().observe(7);
    histogram.labels({}).observe(7);
  },
  'a histogram of its own buckets': (side) => {
    const histogram = side.histogram({
      ...H,
      buckets: [-5, 0, 0.1, 1, 1e6, 1e21],
      labelNames: ['a'],
    });
    for (const value of [-6, -5, -4.9, 0, 0.05, 0.1, 1e6, 1e22]) {
      histogram.observe({ a: 'x' }, value);
      histogram.labels('y').observe(value);
    }
  },
  'a histogram with one bucket and one without any': (side) => {
    side.histogram({ ...H, buckets: [1] }).observe(1);
    side.histogram({ ...H, name: 'other_bytes', buckets: [] }).observe(2);
  },
  'a histogram with labels left out': (side) => {
    const histogram = side.histogram({ ...H, labelNames: ['a', 'b'], buckets: [1] });
    histogram.observe(1);
    histogram.observe({ b: 'x' }, 2);
    histogram.observe({ a: 'y', b: 'x' }, 3);
  },
  'help texts and label values to escape': (side) => {
    const help = 'back\\slash, "quotes", new\nline, \\n, äöü 🚀';
    const counter = side.counter({ ...C, help, labelNames: ['a'] });
    for (const a of ['\\', '"', '\n', '\\n', 'a,b="c"', '{}', 'äöü 🚀', '\r\t', '|', ' ']) {
      counter.inc({ a });
    }
  },
  'metrics of several kinds in order of registration': (side) => {
    side.histogram({ ...H, buckets: [1, 2] }).observe(1);
    side.counter(C).inc();
    side.counter({ ...C, name: 'A_total' }).inc();
    side.histogram({ ...H, name: 'a:b', buckets: [1] }).observe(1);
  },
  'a metric taken out, and another one under its name': (side) => {
    side.counter(C).inc(5);
    side.registry.removeSingleMetric(C.name);
    side.registry.removeSingleMetric('never_there');
    side.counter({ ...C, help: 'Other.', labelNames: ['a'] }).inc({ a: 'x' });
  },
};

describe('instruments beside prom-client 15.1.3', () => {
  for (const [name, play] of Object.entries(scenarios)) {
    it(`give the same page: ${name}`, async () => {
      const [ours, theirs] = [offloopSide(), promSide()];
      play(ours);
      play(theirs);
      expect(await ours.registry.metrics()).to.equal(await theirs.registry.metrics());
    });

    it(`give the same JSON: ${name}`, async () => {
      const [ours, theirs] = [offloopSide(), promSide()];
      play(ours);
      play(theirs);
      expect(await ours.registry.getMetricsAsJSON()).to.deep.equal(
        asOurs(await theirs.registry.getMetricsAsJSON()),
      );
    });
  }

  it('give the same content type', () => {
    expect(offloopSide().registry.contentType).to.equal(promSide().registry.contentType);
    expect(Registry.PROMETHEUS_CONTENT_TYPE).to.equal(prom.Registry.PROMETHEUS_CONTENT_TYPE);
  });

  it('include an increment in the get() right after it', async () => {
    for (const side of [offloopSide(), promSide()]) {
      const counter = side.counter(C);
      counter.inc();
      const { values } = (await counter.get()) as { values: { value: number }[] };
      expect(values[0]?.value).to.equal(1);
    }
  });

  it('time in seconds, and return what they observed', async () => {
    for (const side of [offloopSide(), promSide()]) {
      const histogram = side.histogram({ ...H, labelNames: ['a', 'b'] });
      const end = histogram.startTimer({ a: '1' });
      const seconds = end({ b: '2' }) as number;
      expect(seconds).to.be.within(0, 1);
      const page = await side.registry.metrics();
      expect(page).to.include(`size_bytes_sum{a="1",b="2"} ${seconds}\n`);
      expect(page).to.include('size_bytes_count{a="1",b="2"} 1\n');
    }
  });

  it('time a child, and a histogram without labels', async () => {
    for (const side of [offloopSide(), promSide()]) {
      side.counter(C);
      const labelled = side.histogram({ ...H, labelNames: ['a'] });
      labelled.labels('x').startTimer()();
      const unlabelled = side.histogram({ ...H, name: 'other_seconds' });
      unlabelled.startTimer()();
      const page = await side.registry.metrics();
      expect(page).to.include('size_bytes_count{a="x"} 1\n');
      expect(page).to.include('other_seconds_count 1\n');
      expect(page).to.include('jobs_total 0\n');
    }
  });

  it('set a gauge to the seconds of a timer, and to the Unix time', async () => {
    for (const side of [offloopSide(), promSide()]) {
      const gauge = side.gauge({ ...G, labelNames: ['a', 'b'] });
      const seconds = gauge.startTimer({ a: '1' })({ b: '2' });
      expect(await side.registry.metrics()).to.include(`depth{a="1",b="2"} ${seconds}\n`);
      gauge.setToCurrentTime({ a: 'now' });
      const [, now] = /depth{a="now"} (\S+)\n/.exec(await side.registry.metrics()) ?? [];
      expect(Number(now)).to.be.closeTo(Date.now() / 1000, 5);
    }
  });

  it('differ for a gauge that is NaN: prom-client writes Nan, which a parser may refuse', async () => {
    const [ours, theirs] = [offloopSide(), promSide()];
    for (const side of [ours, theirs]) side.gauge(G).set(Number.NaN);
    expect(await ours.registry.metrics()).to.include('\ndepth NaN\n');
    expect(await theirs.registry.metrics()).to.include('\ndepth Nan\n');
  });

  it('find a metric by name, and nothing after clear()', async () => {
    for (const side of [offloopSide(), promSide()]) {
      const counter = side.counter(C);
      expect(side.registry.getSingleMetric(C.name)).to.equal(counter);
      expect(side.registry.getSingleMetric('never_there')).to.equal(undefined);
      side.registry.clear();
      expect(side.registry.getSingleMetric(C.name)).to.equal(undefined);
      expect((await side.registry.metrics()).trim()).to.equal('');
      expect(await side.registry.getMetricsAsJSON()).to.deep.equal([]);
    }
  });
});

/** Each is refused on both sides, with the same text and type of error. */
const refusals: Record<string, (side: Side) => unknown> = {
  'no configuration': (side) => side.counter(undefined as never),
  'no name': (side) => side.counter({ help: 'x' }),
  'an empty name': (side) => side.counter({ name: '', help: 'x' }),
  'no help': (side) => side.counter({ name: 'x' }),
  'an empty help': (side) => side.counter({ name: 'x', help: '' }),
  'the label le': (side) => side.histogram({ ...H, labelNames: ['a', 'le'] }),
  'the same name twice': (side) => {
    side.counter(C);
    side.histogram({ ...H, name: C.name });
  },
  'a negative increment': (side) => side.counter(C).inc(-1),
  'the smallest negative increment': (side) => side.counter(C).inc(-5e-324),
  'an infinite increment': (side) => side.counter(C).inc(Number.POSITIVE_INFINITY),
  'a negative infinite increment': (side) => side.counter(C).inc(Number.NEGATIVE_INFINITY),
  'a text as an increment': (side) => side.counter(C).inc('5'),
  'a text as an increment under labels': (side) =>
    side.counter({ ...C, labelNames: ['a'] }).inc({ a: 'x' }, '5'),
  'an observation that is NaN': (side) => side.histogram(H).observe({}, Number.NaN),
  'an infinite observation': (side) => side.histogram(H).observe(Number.POSITIVE_INFINITY),
  'an observation that is a text': (side) => side.histogram(H).observe('5'),
  'an observation of labels without a value': (side) =>
    side.histogram({ ...H, labelNames: ['a'] }).observe({ a: 'x' }),
  'an observation that is NaN, by a child': (side) =>
    side.histogram(H).labels().observe(Number.NaN),
  'a gauge set to a text': (side) => side.gauge(G).set('5'),
  'a gauge set to nothing': (side) => side.gauge(G).set(undefined),
  'a gauge set under labels to nothing': (side) =>
    side.gauge({ ...G, labelNames: ['a'] }).set({ a: 'x' }),
  'a gauge raised by a text': (side) => side.gauge(G).inc('5'),
  'a gauge’s child raised by a text': (side) => side.gauge(G).labels().inc('5'),
  'an unknown label of a gauge': (side) => side.gauge(G).set({ c: 'x' }, 1),
  'too few label values of a gauge': (side) =>
    side.gauge({ ...G, labelNames: ['a', 'b'] }).labels('x'),
  'too few label values': (side) => side.counter({ ...C, labelNames: ['a', 'b'] }).labels('x'),
  'too many label values': (side) =>
    side.counter({ ...C, labelNames: ['a', 'b'] }).labels('x', 'y', 3),
  'label values of a counter without labels': (side) => side.counter(C).labels('x'),
  'too few label values of a histogram': (side) =>
    side.histogram({ ...H, labelNames: ['a', 'b'] }).labels('x'),
  'an unknown label': (side) => side.counter({ ...C, labelNames: ['a', 'b'] }).inc({ c: 'x' }),
  'an unknown label beside known ones': (side) =>
    side.counter({ ...C, labelNames: ['a', 'b'] }).inc({ a: 1, b: 2, c: 3 }),
  'an unknown label of a histogram': (side) =>
    side.histogram({ ...H, labelNames: ['a'] }).observe({ c: 'x' }, 1),
  'an unknown label of a histogram’s child': (side) =>
    side.histogram({ ...H, labelNames: ['a'] }).labels({ c: 'x' }),
  'an unknown label of a counter without labels': (side) => side.counter(C).inc({ c: 'x' }),
  'an unknown label in place of one that was left out before': (side) => {
    const counter = side.counter({ ...C, labelNames: ['a', 'b'] });
    counter.inc({ a: 'x' });
    counter.inc({ a: 'x', c: 'y' });
  },
  'an unknown label in place of one of three': (side) => {
    const counter = side.counter({ ...C, labelNames: ['a', 'b', 'd'] });
    counter.inc({ a: 'x', b: 'y' });
    counter.inc({ a: 'x', b: 'y', c: 'z' });
  },
};

describe('refusals beside prom-client 15.1.3', () => {
  for (const [name, play] of Object.entries(refusals)) {
    it(`have the same text: ${name}`, () => {
      const [ours, theirs] = [offloopSide(), promSide()].map((side) => thrownBy(() => play(side)));
      expect(ours?.message).to.equal(theirs?.message);
      expect(ours instanceof TypeError).to.equal(theirs instanceof TypeError);
    });
  }

  it('have the text of 0.16 for names', () => {
    for (const name of ['a-b', '1a', 'a b', 'ä', 'a\n', 'a{}']) {
      expect(thrownBy(() => offloopSide().counter({ ...C, name })).message).to.equal(
        `Invalid metric name: ${name}`,
      );
      expect(() => promSide().counter({ ...C, name })).to.throw('Invalid metric name');
    }
  });

  it('have the text of 0.16 for label names', () => {
    for (const labelNames of [['a', '1b'], ['a:b'], [''], ['ä'], ['a\n']]) {
      expect(thrownBy(() => offloopSide().counter({ ...C, labelNames })).message).to.equal(
        `At least one label name is invalid: ${labelNames.at(-1)}`,
      );
      expect(() => promSide().counter({ ...C, labelNames })).to.throw('Invalid label name');
    }
  });
});

function thrownBy(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/**
 * prom-client gives label values as they came, a number as a number, where offloop gives the text that the page shows; and its
 * sums and counts have an `exemplar` that is undefined.
 */
function asOurs(metrics: unknown): unknown {
  return (metrics as { values: { labels: Labels }[] }[]).map((metric) => ({
    ...metric,
    values: metric.values.map((value) => ({
      ...Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)),
      labels: Object.fromEntries(
        Object.entries(value.labels).map(([name, label]) => [
          name,
          name === 'le' ? label : String(label),
        ]),
      ),
    })),
  }));
}
