import { formatLabels, parseLabels } from '@offloop/core/internal/instruments/label-text.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { runSeed } from '../../support/random.js';
import { PipelineRig } from '../pipeline-rig.js';

const PROBABLE_NAMES = ['a', 'b', 'c', '_', '__proto__', 'constructor', 'toString'];

/** Few values, so that the same ones meet often; among them everything that a format could trip over. */
const value = fc.oneof(
  fc.constantFrom('', 'x', '1', '"', '\\', '\n', ',', '=', '{', '}', '|', ',b:', '","b="', '\0'),
  fc.constantFrom('\ud800', '\udc00', '\ufffd', '🚀', '__proto__', '__overflow__', '\r', '\\n'),
  fc.constantFrom(0, -0, 1, 200, 1e21, 0.1, -1),
  fc.string({ unit: 'binary', maxLength: 4 }),
);

const scenario = fc
  .uniqueArray(fc.constantFrom(...PROBABLE_NAMES), { minLength: 1, maxLength: 4 })
  .chain((labelNames) =>
    fc.record({
      labelNames: fc.constant(labelNames),
      calls: fc.array(
        fc.record({
          way: fc.constantFrom('inc', 'labels object', 'labels values'),
          values: fc.tuple(...labelNames.map(() => fc.option(value, { nil: undefined, freq: 6 }))),
          amount: fc.integer({ min: 1, max: 1000 }),
        }),
        { maxLength: 60 },
      ),
    }),
  );

/** What Prometheus takes for the same series: texts as UTF-8 has them, and labels without a value left out. */
function identity(labels: Iterable<readonly [string, unknown]>): string {
  const texts = [...labels].flatMap(([name, given]) => {
    const text = given === undefined ? '' : String(given).toWellFormed();
    return text === '' ? [] : [[name, text]];
  });
  return JSON.stringify(texts.sort());
}

describe(`labels: laws, seed ${runSeed}`, () => {
  it('merge no two label sets and show none twice', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(scenario, async ({ labelNames, calls }) => {
        const rig = new PipelineRig({
          memory: { maxSeries: 256, catalogBytes: 65_536, aggregateBytes: 65_536 },
        });
        const counter = rig.counter({ labelNames });
        const expected: Record<string, number> = {};
        for (const { way, values, amount } of calls) {
          const pairs = labelNames
            .map((name, index) => [name, values[index]] as const)
            .filter(([, given]) => given !== undefined);
          const labels = Object.fromEntries(pairs) as Record<string, string>;
          if (way === 'inc') counter.inc(labels, amount);
          else if (way === 'labels object') counter.labels(labels).inc(amount);
          else counter.labels(...(values as string[])).inc(amount);
          const key = identity(pairs);
          expected[key] = (expected[key] ?? 0) + amount;
        }
        const found: Record<string, number> = {};
        for (const sample of await rig.samples()) {
          const key = identity(sample.labels);
          expect(found, 'shown twice').to.not.have.property(key);
          found[key] = sample.value;
        }
        expect(found).to.deep.equal(expected);
        const { values } = await counter.get();
        expect(
          Object.fromEntries(
            values.map((one) => [identity(Object.entries(one.labels)), one.value]),
          ),
        ).to.deep.equal(expected);
      }),
      { seed: runSeed, numRuns: 150 },
    );
  });

  it('come back from their text as they went into it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...PROBABLE_NAMES)),
        fc.array(fc.string({ unit: 'binary' }), { minLength: 7, maxLength: 7 }),
        (names, values) => {
          const parsed = parseLabels(formatLabels(names, values));
          expect(Object.entries(parsed)).to.deep.equal(
            names.map((name, index) => [name, values[index]]),
          );
        },
      ),
      { seed: runSeed, numRuns: 500 },
    );
  });
});
