import { Counter, Gauge, Histogram, Pipeline, Registry } from '@offloop/core';
import { expect } from 'chai';
import fc from 'fast-check';
import prom from 'prom-client';
import { runSeed } from '../../support/random.js';

/** A metric of either library, without its label types. */
interface AnyInstrument {
  [method: string]: (...args: readonly unknown[]) => unknown;
}

interface Side {
  readonly registry: {
    metrics(): Promise<string>;
    getMetricsAsJSON(): Promise<object[]>;
    getSingleMetricAsString(name: string): Promise<string>;
    setDefaultLabels(labels: object): void;
    resetMetrics(): void;
  };
  readonly metrics: Readonly<Record<string, AnyInstrument>>;
}

/** Two label names in no alphabetical order, and a metric of each kind with them and without. */
const LABEL_NAMES = ['b', 'a'];
/** Not -1: prom-client counts there what is above every bound. */
const BUCKETS = [-2, 0.5, 2, 1e6];

function sideOf(lib: typeof prom, registry: Side['registry']): Side {
  const registers = [registry as prom.Registry];
  const labelNames = LABEL_NAMES;
  return {
    registry,
    metrics: {
      counter: new lib.Counter({ name: 'c_total', help: 'C.', registers }),
      gauge: new lib.Gauge({ name: 'g', help: 'G.', registers }),
      histogram: new lib.Histogram({ name: 'h', help: 'H.', buckets: BUCKETS, registers }),
      labelledCounter: new lib.Counter({ name: 'lc_total', help: 'C.', labelNames, registers }),
      labelledGauge: new lib.Gauge({ name: 'lg', help: 'G.', labelNames, registers }),
      labelledHistogram: new lib.Histogram({
        name: 'lh',
        help: 'H.',
        buckets: BUCKETS,
        labelNames,
        registers,
      }),
    } as unknown as Side['metrics'],
  };
}

const offloop = { Counter, Gauge, Histogram } as unknown as typeof prom;

// Values are what both take, or both refuse: docs/migrating.md lists what only one of them does. No commas, which prom-client's keys
// are joined with (test/core/peer-defects.test.ts, 1).
const amount = fc.oneof(
  fc.constantFrom(undefined, 0, 1, 2, 0.25, -1, 1e21, 2 ** 53, Number.POSITIVE_INFINITY, '5', true),
  fc.double({ noNaN: true, min: 0, max: 1e9 }),
);
const labelValue = fc.oneof(
  fc.constantFrom('x', 'y', '1', 1, 200, '"', '\\', '\n', '|', 'ü🚀', 'constructor'),
  fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 2 })
    .map((text) => text.replace(/[,:]/g, '_')),
);
const labels = fc.oneof(
  { weight: 4, arbitrary: fc.record({ a: labelValue, b: labelValue }, { requiredKeys: [] }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({}, { c: 'x' }, { a: 'x', c: 1 }),
  },
);
const childLabels = fc.oneof(
  labels.map((one) => [one]),
  fc.array(labelValue, { maxLength: 3 }),
);

const METRICS = [
  'counter',
  'gauge',
  'histogram',
  'labelledCounter',
  'labelledGauge',
  'labelledHistogram',
] as const;

/** Methods that both libraries have, by kind. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  counter: ['inc'],
  gauge: ['set', 'inc', 'dec'],
  histogram: ['observe'],
};

function methodsOf(metric: string): readonly string[] {
  return METHODS[metric.replace('labelled', '').toLowerCase()] as readonly string[];
}

const call: fc.Arbitrary<Call> = fc.constantFrom(...METRICS).chain((metric) => {
  const method = fc.constantFrom(...methodsOf(metric));
  const whole = fc.oneof(
    amount.map((one) => [one]),
    fc.tuple(labels, amount),
    fc.tuple(fc.constant(undefined), amount),
  );
  const calls = (weight: number, parts: fc.Arbitrary<Omit<Call, 'metric'>>) => ({
    weight,
    arbitrary: parts.map((one) => ({ metric, ...one })),
  });
  return fc.oneof(
    calls(5, fc.record({ method, args: whole })),
    calls(3, fc.record({ method, args: amount.map((one) => [one]), child: childLabels })),
    calls(1, fc.record({ method: fc.constant('remove'), args: childLabels })),
    calls(1, fc.record({ method: fc.constant('reset'), args: fc.constant([]) })),
  );
});

/** What only one of both takes, with a reason that docs/migrating.md gives. */
function isTakenByOne({ metric, method, args }: Call): boolean {
  // The histogram vanishes from prom-client, and goes on at zero here.
  if (metric === 'histogram' && method === 'reset') return true;
  // prom-client turns '5' and true into numbers there, and only there.
  return method === 'dec' && ['5', true].includes(args.at(-1) as never);
}

interface Call {
  readonly metric: string;
  readonly method: string;
  readonly args: readonly unknown[];
  /** Arguments of `labels()`, where the call is a child's. */
  readonly child?: readonly unknown[];
}

/** What a call threw: class and text; nothing where it did not. */
function thrownBy({ metrics }: Side, { metric, method, args, child }: Call): string | undefined {
  try {
    const whole = metrics[metric] as AnyInstrument;
    const target = child === undefined ? whole : (whole['labels']?.(...child) as AnyInstrument);
    target[method]?.(...args);
  } catch (error) {
    const { message } = error as Error;
    return `${error instanceof TypeError ? 'TypeError' : 'Error'}: ${message}`;
  }
  return undefined;
}

/** JSON as prom-client has it, but for label values, which offloop gives as the texts of the page, and for fields that are undefined. */
function comparable(json: object): unknown {
  return JSON.parse(
    JSON.stringify(json, (key, value: unknown) =>
      key === 'labels' ? textsOf(value as object) : value,
    ),
  );
}

function textsOf(labelSet: object): object {
  const pairs = Object.entries(labelSet).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, name === 'le' ? value : String(value)]),
  );
}

describe(`random calls beside prom-client 15.1.3, seed ${runSeed}`, function () {
  this.timeout(60_000);

  it('throw the same, and leave the same page and JSON', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          call.filter((one) => !isTakenByOne(one)),
          { maxLength: 40 },
        ),
        async (calls) => {
          const pipeline = new Pipeline();
          pipeline.configure({ ring: { capacityRecords: 256 } });
          const ours = sideOf(offloop, new Registry(pipeline));
          const theirs = sideOf(prom, new prom.Registry());
          for (const one of calls) {
            const [mine, other] = [thrownBy(ours, one), thrownBy(theirs, one)];
            if (mine === other) continue;
            // Where both are wrong the value is refused first, as prom-client 0.16 does.
            expect(other).to.match(/^Error: Added label "[abc]"/);
            expect(mine).to.match(/: (Value|Delta) is not a valid number|not possible to decrease/);
          }
          expect(await ours.registry.metrics()).to.equal(await theirs.registry.metrics());
          expect(comparable(await ours.registry.getMetricsAsJSON())).to.deep.equal(
            comparable(await theirs.registry.getMetricsAsJSON()),
          );
          for (const name of METRICS) {
            const [mine, other] = [ours, theirs].map(({ metrics }) => metrics[name]?.['get']?.());
            expect(comparable((await mine) as object)).to.deep.equal(
              comparable((await other) as object),
            );
          }
        },
      ),
      { seed: runSeed, numRuns: 200 },
    );
  });
});
